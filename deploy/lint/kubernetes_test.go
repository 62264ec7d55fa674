package lint

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// manifests are the objects of the base, by kind and name.
type manifests struct {
	configMaps   map[string]*corev1.ConfigMap
	services     map[string]*corev1.Service
	statefulSets map[string]*appsv1.StatefulSet
	deployments  map[string]*appsv1.Deployment
	scalers      map[string]*autoscalingv2.HorizontalPodAutoscaler
	budgets      map[string]*policyv1.PodDisruptionBudget
	policies     map[string]*networkingv1.NetworkPolicy
}

// build has kustomize build the base, and reads each object strictly as what it says it is.
func build(t *testing.T) *manifests {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).
		Run(filesys.MakeFsOnDisk(), filepath.Join(deploy, "kubernetes/base"))
	if err != nil {
		t.Fatal(err)
	}
	m := &manifests{
		map[string]*corev1.ConfigMap{},
		map[string]*corev1.Service{},
		map[string]*appsv1.StatefulSet{},
		map[string]*appsv1.Deployment{},
		map[string]*autoscalingv2.HorizontalPodAutoscaler{},
		map[string]*policyv1.PodDisruptionBudget{},
		map[string]*networkingv1.NetworkPolicy{},
	}
	for _, r := range built.Resources() {
		text := string(r.MustYaml())
		switch kind := r.GetApiVersion() + " " + r.GetKind(); kind {
		case "v1 ConfigMap":
			strict(t, text, r.GetName(), m.configMaps)
		case "v1 Service":
			strict(t, text, r.GetName(), m.services)
		case "apps/v1 StatefulSet":
			strict(t, text, r.GetName(), m.statefulSets)
		case "apps/v1 Deployment":
			strict(t, text, r.GetName(), m.deployments)
		case "autoscaling/v2 HorizontalPodAutoscaler":
			strict(t, text, r.GetName(), m.scalers)
		case "policy/v1 PodDisruptionBudget":
			strict(t, text, r.GetName(), m.budgets)
		case "networking.k8s.io/v1 NetworkPolicy":
			strict(t, text, r.GetName(), m.policies)
		default:
			t.Errorf("%s %s: nothing here knows what that is", kind, r.GetName())
		}
	}
	return m
}

// strict reads an object; a field that its type does not have is an error.
func strict[T any](t *testing.T, text, name string, into map[string]*T) {
	t.Helper()
	object := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	into[name] = object
}

// TestKubernetes holds the manifests to Kubernetes' types and to each other.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	m := build(t)
	origin, edge := m.statefulSets["headwater-origin"], m.deployments["headwater-edge"]
	if origin == nil || edge == nil || len(m.configMaps) != 1 {
		t.Fatalf("there is no origin, no edge or no configuration: %+v", m)
	}
	checkPod(t, m, "origin", origin.Spec.Selector.MatchLabels, origin.Spec.Template)
	checkPod(t, m, "edge", edge.Spec.Selector.MatchLabels, edge.Spec.Template)
	if s := m.services[origin.Spec.ServiceName]; s == nil || s.Spec.ClusterIP != corev1.ClusterIPNone {
		t.Error("the origins have no headless service")
	}
	if edge.Spec.Replicas != nil {
		t.Error("whoever applies the edges undoes what the autoscaler did")
	}
	scaler := m.scalers["headwater-edge"]
	if scaler == nil || scaler.Spec.ScaleTargetRef.Name != edge.Name ||
		scaler.Spec.ScaleTargetRef.Kind != edge.Kind || len(scaler.Spec.Metrics) != 2 {
		t.Fatalf("the edges have no autoscaler: %+v", scaler)
	}
	metric := scaler.Spec.Metrics[0].Pods.Metric.Name
	if !strings.Contains(read(t, "kubernetes/prometheus-adapter.yaml"), "as: "+metric+"}") {
		t.Errorf("the adapter has no rule for %s", metric)
	}
}

// checkPod holds a template to the services, the budget and the configuration that belong to it.
func checkPod(t *testing.T, m *manifests, role string, selector map[string]string,
	template corev1.PodTemplateSpec,
) {
	t.Helper()
	if !within(selector, template.Labels) {
		t.Errorf("%s: %v does not select %v", role, selector, template.Labels)
	}
	b := m.budgets["headwater-"+role]
	if b == nil || !maps.Equal(b.Spec.Selector.MatchLabels, selector) {
		t.Errorf("%s: there is no budget", role)
	}
	p := m.policies["headwater-"+role]
	if p == nil || !maps.Equal(p.Spec.PodSelector.MatchLabels, selector) {
		t.Errorf("%s: there is no network policy", role)
	}
	container := template.Spec.Containers[0]
	ports := map[string]bool{}
	for _, p := range container.Ports {
		ports[p.Name] = true
	}
	served := 0
	for _, s := range m.services {
		if !within(s.Spec.Selector, template.Labels) {
			continue
		}
		served++
		for _, p := range s.Spec.Ports {
			if !ports[p.TargetPort.StrVal] {
				t.Errorf("%s: service %s wants port %s", role, s.Name, p.TargetPort.String())
			}
		}
	}
	if served == 0 {
		t.Errorf("%s: there is no service", role)
	}
	if m.configMaps[container.EnvFrom[0].ConfigMapRef.Name] == nil {
		t.Errorf("%s: there is no %+v", role, container.EnvFrom[0])
	}
	checkSafe(t, role, template.Spec, container)
}

// checkSafe holds a pod to run without rights, to be probed, and to have the time to drain.
func checkSafe(t *testing.T, role string, pod corev1.PodSpec, c corev1.Container) {
	t.Helper()
	p, s := pod.SecurityContext, c.SecurityContext
	if p == nil || s == nil || !*p.RunAsNonRoot || !*s.ReadOnlyRootFilesystem ||
		*s.AllowPrivilegeEscalation || len(s.Capabilities.Drop) != 1 || s.Capabilities.Drop[0] != "ALL" {
		t.Errorf("%s: it has rights", role)
	}
	if c.ReadinessProbe == nil || c.LivenessProbe == nil || c.StartupProbe == nil ||
		c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
		t.Errorf("%s: a probe or the preStop hook is missing", role)
	}
	const deadline = 10 // stop.deadline's default
	if *pod.TerminationGracePeriodSeconds < 5+2*deadline {
		t.Errorf("%s: it is killed while it drains", role)
	}
}

// within tells whether b has all that a has.
func within(a, b map[string]string) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) > 0
}
