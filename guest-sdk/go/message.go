package sporegate

import (
	"bytes"
	"encoding/json"
	"errors"
)

// Message is one complete WebSocket message, text or binary. The zero value is an empty text.
type Message struct {
	text     string
	bytes    []byte
	isBinary bool
}

// Text is a text message.
func Text(text string) Message {
	return Message{text: text}
}

// Binary is a binary message. The bytes must not change before it is sent.
func Binary(bytes []byte) Message {
	return Message{bytes: bytes, isBinary: true}
}

// JSON is a text message with a value as encoding/json writes it, without escapes for HTML.
func JSON(value any) (Message, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return Message{}, err
	}
	return Text(string(bytes.TrimSuffix(text.Bytes(), []byte("\n")))), nil
}

// IsBinary says whether it is binary.
func (m Message) IsBinary() bool {
	return m.isBinary
}

// Text is the text of a text message.
func (m Message) Text() (text string, ok bool) {
	return m.text, !m.isBinary
}

// Binary is what a binary message holds.
func (m Message) Binary() (bytes []byte, ok bool) {
	return m.bytes, m.isBinary
}

// Decode reads a text message as JSON into value, as json.Unmarshal does.
func (m Message) Decode(value any) error {
	if m.isBinary {
		return errors.New("the message is binary, not JSON text")
	}
	return json.Unmarshal([]byte(m.text), value)
}
