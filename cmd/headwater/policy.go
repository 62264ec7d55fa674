package main

import "net/http"

// policyCommand says when the public picture of a broadcast is processed.
type policyCommand struct {
	broadcastFlags

	Always    bool `xor:"policy" required:"" help:"Always, so that a blur is there at once."`
	WhenAsked bool `xor:"policy" required:"" help:"Only while something is blurred."`
}

// Help is the text below the command's one line.
func (*policyCommand) Help() string {
	return `Without it the policy is that of the node's setting processing.policy.

Example:

    headwater policy live/mine --always`
}

// Run is called by kong.
func (p *policyCommand) Run(t *terminal) error {
	body := struct {
		ID     string `json:"id,omitempty"`
		Always bool   `json:"always"`
	}{p.ID, p.Always}
	holds := "always processed"
	if p.WhenAsked {
		holds = "processed when asked"
	}
	return p.send(t, http.MethodPost, "policy", &body, holds)
}
