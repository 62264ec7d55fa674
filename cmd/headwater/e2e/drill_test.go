package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// drill makes an actor of the node fail.
func (n *node) drill(t *testing.T, actor, kind string) int {
	t.Helper()
	body := `{"actor":"` + actor + `","kind":"` + kind + `"}`
	response, err := n.client.Post("http://"+n.http+"/debug/drill", "application/json",
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("drill %s %s: %d %s", kind, actor, response.StatusCode, text)
	return response.StatusCode
}

// TestDrill holds that no request makes actors fail, unless whoever starts the node allows it, and
// that the processing comes back where it does. Neither costs the blur.
func TestDrill(t *testing.T) {
	for _, isolation := range []string{"in-process", "process"} {
		t.Run(isolation, func(t *testing.T) {
			t.Setenv("HEADWATER_DRILLS", "1")
			n := launchNode(t, "--processing.isolation", isolation)
			encode(t, n.rtmpURL("a"))
			n.awaitState(t, "a", 1, "live")
			n.shell(t, "blur", "live/a", "--rect", "0,0,0.375,0.6", "--mode", "solid")
			const worker = "node/broadcasts/broadcast/live/a.1/processing/process/main"
			encoded := func() float64 {
				return n.metric(t, "headwater_process_pictures_total", `outcome="encoded"`)
			}
			await(t, "pictures are processed", func() bool { return encoded() > 10 })
			kinds := []string{"crash"}
			if isolation == "process" {
				kinds = append(kinds, "segfault")
			}
			for _, kind := range kinds {
				before := encoded()
				failures := n.metric(t, "headwater_actor_failures_total", `kind="process"`)
				if status := n.drill(t, worker, kind); status != http.StatusNoContent {
					t.Fatalf("%s: %d", kind, status)
				}
				await(t, kind+" is noticed, and the processing comes back", func() bool {
					return encoded() > before+30 &&
						n.metric(t, "headwater_actor_failures_total", `kind="process"`) > failures
				})
			}
			await(t, "there is a snapshot", func() bool {
				picture, _, why := n.snapshot(t, "a")
				if picture == nil && !strings.Contains(why, "not yet") {
					t.Fatal(why)
				}
				return picture != nil
			})
			if status := n.drill(t, "node/none", "crash"); status != http.StatusNotFound {
				t.Errorf("of no actor: %d", status)
			}
			n.stop(t)
		})
	}
	t.Run("not allowed", func(t *testing.T) {
		n := startNode(t)
		if status := n.drill(t, "node/load", "crash"); status != http.StatusNotFound {
			t.Errorf("not allowed: %d", status)
		}
	})
}
