package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// Bounds of a command's body.
const (
	maxBody  = 64 << 10
	bodyTime = 10 * time.Second
)

// readBody reads a command's JSON into a value, strictly: a rectangle under a name that nobody
// reads would be a picture that is not blurred.
func readBody(w http.ResponseWriter, r *http.Request, into any) error {
	content, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || content != "application/json" {
		return faulty(http.StatusUnsupportedMediaType, fmt.Errorf(
			"content type %.60q: want application/json", r.Header.Get("Content-Type")))
	}
	// Where the connection has no deadline, the test's, a slow body does no harm.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return faulty(http.StatusRequestEntityTooLarge,
			fmt.Errorf("the body is larger than %d bytes", maxBody))
	case err != nil:
		return faulty(http.StatusBadRequest, fmt.Errorf("the body ends early: %w", err))
	}
	if err := parse(string(body), into); err != nil {
		return faulty(http.StatusBadRequest, err)
	}
	return nil
}

// parse reads one JSON value and says where it is wrong.
func parse(body string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return describeJSON(body, decoder.InputOffset(), err)
	}
	end := decoder.InputOffset()
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the JSON value, %s", place(body, end))
	}
	return once(body)
}

// once refuses an object that names a field twice, of which one would be passed over in silence.
// The body is valid JSON.
func once(body string) error {
	decoder := json.NewDecoder(strings.NewReader(body))
	var names []map[string]bool // of the objects that are open; nil for a list
	key := false                // the next string is a name
	for {
		token, err := decoder.Token()
		if err != nil {
			return nil //nolint:nilerr // the end
		}
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				names = append(names, map[string]bool{})
			case '[':
				names = append(names, nil)
			default:
				names = names[:len(names)-1]
			}
		case string:
			if key {
				name := strings.ToLower(token)
				if names[len(names)-1][name] {
					return fmt.Errorf("field %q comes twice, %s", token, place(body, decoder.InputOffset()))
				}
				names[len(names)-1][name] = true
				key = false
				continue
			}
		}
		key = len(names) > 0 && names[len(names)-1] != nil
	}
}

func describeJSON(body string, offset int64, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the body is empty; want a JSON object")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON: %w, %s", err, place(body, syntax.Offset))
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%s is a %s; want a %v, %s", kind.Field, kind.Value, kind.Type,
			place(body, kind.Offset))
	case errors.As(err, &kind):
		return fmt.Errorf("the body is a JSON %s; want an object", kind.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		if i := strings.Index(body, name+":"); i >= 0 { // offset is the end of the whole value
			offset = int64(i)
		}
		return fmt.Errorf("there is no field %s, %s", name, place(body, offset))
	}
	return fmt.Errorf("%w, %s", err, place(body, offset))
}

// place names a place in a text for people.
func place(text string, offset int64) string {
	before := text[:min(max(offset, 0), int64(len(text)))]
	line := strings.Count(before, "\n") + 1
	column := len(before) - strings.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d column %d", line, column)
}
