package rtmp

import (
	"encoding/binary"
	"fmt"
)

// read returns the next message and answers what needs an answer.
func (c *Client) read() (Message, error) {
	for {
		m, err := c.guard.Next()
		if err != nil {
			return m, err
		}
		c.answer = c.answer[:0]
		ping := m.Type == TypeUserControl && binary.BigEndian.Uint16(m.Body) == EventPingRequest
		if ping {
			value := binary.BigEndian.Uint32(m.Body[2:])
			c.answer = AppendUserControl(c.answer, EventPingResponse, value)
		}
		if sequence, due := c.guard.AckDue(); due {
			c.answer = AppendAck(c.answer, sequence)
		}
		if len(c.answer) > 0 {
			if _, err := c.rw.Write(c.answer); err != nil {
				return m, fmt.Errorf("rtmp: write ping response or acknowledgement: %w", err)
			}
		}
		if !ping {
			return m, nil
		}
	}
}

// createStream asks for a message stream (RTMP 7.2.1.3).
func (c *Client) createStream() error {
	id := c.nextTransaction()
	err := c.send(0, Command{Name: "createStream", Transaction: id, Args: []Value{{}}})
	if err != nil {
		return err
	}
	cmd, err := c.result("createStream", id)
	if err != nil {
		return err
	}
	v := cmd.Arg(1)
	if v.Kind != Number || v.Number < 0 || v.Number > 1<<32-1 {
		return fmt.Errorf("%w: createStream gave kind %d value %v", ErrReply, v.Kind, v.Number)
	}
	c.streamID = uint32(v.Number)
	return nil
}

// result waits for the answer to a transaction.
func (c *Client) result(what string, id float64) (Command, error) {
	return c.await(what, func(cmd Command) (bool, error) {
		if cmd.Transaction != id || cmd.Name != "_result" && cmd.Name != "_error" {
			return false, refusal(cmd)
		}
		if cmd.Name == "_result" {
			return true, nil
		}
		info := cmd.Arg(1)
		if info.Kind != Object && info.Kind != ECMAArray {
			info = cmd.Arg(0)
		}
		return true, statusError(what, info)
	})
}

// status waits for an onStatus of that code.
func (c *Client) status(what, code string) error {
	_, err := c.await(what, func(cmd Command) (bool, error) {
		done := cmd.Name == "onStatus" && cmd.Arg(1).Get("code").String == code
		return done, refusal(cmd)
	})
	return err
}

// await reads messages until done says so or fails. Media that comes first is kept for Next.
func (c *Client) await(what string, done func(Command) (bool, error)) (Command, error) {
	for {
		m, err := c.read()
		if err != nil {
			return Command{}, fmt.Errorf("rtmp: waiting for the answer to %s: %w", what, err)
		}
		if m.Type != TypeCommand {
			if len(c.early) == earlyMessages {
				return Command{}, fmt.Errorf("%w: %d messages before the answer to %s",
					ErrReply, earlyMessages, what)
			}
			if m.Tail != nil {
				c.early = append(c.early, m)
			}
			continue
		}
		cmd, err := ParseCommand(m.Body)
		if err != nil {
			return Command{}, err
		}
		ok, err := done(cmd)
		if ok || err != nil {
			return cmd, err
		}
	}
}

// refusal returns the error that an onStatus of level error is.
func refusal(cmd Command) error {
	info := cmd.Arg(1)
	if cmd.Name != "onStatus" || info.Get("level").String != "error" {
		return nil
	}
	return statusError("onStatus", info)
}

// statusError makes an error of an information object.
func statusError(what string, info Value) error {
	e := &StatusError{Code: info.Get("code").String, Description: info.Get("description").String}
	if e.Code == "" {
		e.Code = what + " refused"
	}
	return e
}

// nextTransaction returns a transaction id that was not used.
func (c *Client) nextTransaction() float64 {
	c.transaction++
	return c.transaction
}

// send writes a command on a message stream.
func (c *Client) send(streamID uint32, cmd Command) error {
	c.out = c.appendCommand(c.out[:0], streamID, cmd)
	return c.flush(cmd.Name)
}

// appendCommand appends a command in chunks.
func (c *Client) appendCommand(dst []byte, streamID uint32, cmd Command) []byte {
	body := AppendCommand(nil, cmd)
	return AppendMessage(dst, ChunkCommand, TypeCommand, 0, streamID, body, c.chunk)
}

// flush writes what was put into c.out with one Write.
func (c *Client) flush(what string) error {
	if _, err := c.rw.Write(c.out); err != nil {
		return fmt.Errorf("rtmp: write %s: %w", what, err)
	}
	return nil
}
