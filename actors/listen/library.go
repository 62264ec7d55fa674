package listen

import (
	"io"
	"sync"

	"github.com/sirupsen/logrus"
	"github.com/yutopp/go-rtmp/message"
)

// silent returns the logger that go-rtmp gets. What it has to say, anybody who connects can make it
// say, and it formats each line even for a writer that discards it, which was a seventh of the cost
// of a connection. Why a connection ended is logged by the listener.
var silent = sync.OnceValue(func() *logrus.Logger {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	logger.SetLevel(logrus.PanicLevel)
	return logger
})

// unread makes go-rtmp hand a command or data message to its "unknown" callbacks, which ignore it.
type unread struct{}

// FromArgs implements message.AMFConvertible.
func (unread) FromArgs(...interface{}) error { return nil }

// ToArgs implements message.AMFConvertible.
func (unread) ToArgs(message.EncodingType) ([]interface{}, error) { return nil, nil }

func leaveUnread(_ io.Reader, _ message.AMFDecoder, v *message.AMFConvertible) error {
	*v = unread{}
	return nil
}

// prepareLibrary sets go-rtmp's decoders, which are package variables there, aside for the commands
// that it decodes wrongly or does not know: each would cost the client its connection. It has to
// happen before the first connection.
var prepareLibrary = sync.OnceFunc(func() {
	for _, name := range []string{
		"_checkbw", "releaseStream", "FCPublish", "FCUnpublish", "FCSubscribe", "deleteStream",
		"closeStream", "pause", "seek", "receiveAudio", "receiveVideo", "getStreamLength",
	} {
		message.CmdBodyDecoders[name] = leaveUnread
	}
	for _, name := range []string{
		"onMetaData", "@clearDataFrame", "onTextData", "onCuePoint", "onCaptionInfo", "onFI",
	} {
		message.DataBodyDecoders[name] = leaveUnread
	}
})
