package main

import "net/http"

// muteCommand silences a broadcast.
type muteCommand struct {
	broadcastFlags

	Off bool `help:"Let the sound be heard again."`
}

// Help is the text below the command's one line.
func (*muteCommand) Help() string {
	return `The sound is replaced by silence, on every rendition, until the command is given with ` +
		`--off.

Example:

    headwater mute live/mine`
}

// Run is called by kong.
func (m *muteCommand) Run(t *terminal) error {
	body := struct {
		ID   string `json:"id,omitempty"`
		Mute bool   `json:"mute"`
	}{m.ID, !m.Off}
	holds := "mute holds"
	if m.Off {
		holds = "no mute"
	}
	return m.send(t, http.MethodPost, "mute", &body, holds)
}
