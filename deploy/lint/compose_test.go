package lint

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// TestCompose holds the file to the Compose specification, as docker compose config does.
func TestCompose(t *testing.T) {
	t.Parallel()
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose.yaml")},
		cli.WithoutEnvironmentResolution)
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := project.ServiceNames()
	slices.Sort(names)
	want := []string{"edge-1", "edge-2", "etcd", "origin-1", "origin-2"}
	if !slices.Equal(names, want) {
		t.Errorf("services are %v, want %v", names, want)
	}
	for _, s := range project.Services {
		if s.Name == "etcd" {
			checkEtcd(t, s.Image)
			continue
		}
		for name, want := range map[string]string{
			"HEADWATER_NODE_NAME": s.Name, "HEADWATER_NODE_ADVERTISE": s.Name,
			"HEADWATER_NODE_ROLES":   s.Name[:len(s.Name)-2],
			"HEADWATER_CLUSTER_ETCD": "etcd:2379",
		} {
			if have := s.Environment[name]; have == nil || *have != want {
				t.Errorf("%s: %s is not %s", s.Name, name, want)
			}
		}
		if filepath.Base(s.Build.Dockerfile) != "Dockerfile" || s.StopGracePeriod == nil {
			t.Errorf("%s: %+v", s.Name, s.Build)
		}
	}
}

// checkEtcd holds the image to the version that the end-to-end tests have.
func checkEtcd(t *testing.T, image string) {
	t.Helper()
	_, version, _ := strings.Cut(image, ":")
	if tested := "go.etcd.io/etcd/server/v3 " + version + "\n"; !strings.Contains(
		read(t, "../cmd/headwater/e2e/etcd/go.mod"), tested) {
		t.Errorf("etcd is %s, which is not what the end-to-end tests have", version)
	}
}
