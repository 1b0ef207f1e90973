package sporegate

import (
	"encoding/json"
	"fmt"
)

// Matcher says which messages a listener wants. The gateway evaluates it: other messages never enter
// the module. All its conditions must hold; add several listeners for "or".
type Matcher struct {
	path  string
	tests []test
	roles []string
	err   error
}

type testKind uint8

const (
	isText testKind = iota
	isBinary
	textEquals
	textPrefix
	textContains
	textRegex
	binaryPrefix
	jsonExists
	jsonEquals
	jsonOneOf
)

type test struct {
	kind    testKind
	text    string // or the pointer
	bytes   []byte
	choices []string // JSON texts
}

// Match takes the messages of clients on a path. `/rooms/{room}/*` has literal segments, `{name}` for
// one segment, and a final `*` for the rest; an empty path is every path granted to the module.
func Match(path string) Matcher {
	return Matcher{path: path}
}

// JSONEquals: the message is JSON whose part at pointer (RFC 6901, such as `/type`) is this value.
func (m Matcher) JSONEquals(pointer string, value any) Matcher {
	return m.json(jsonEquals, pointer, value)
}

// JSONOneOf: that part is one of these values.
func (m Matcher) JSONOneOf(pointer string, values ...any) Matcher {
	return m.json(jsonOneOf, pointer, values...)
}

// JSONExists: there is such a part.
func (m Matcher) JSONExists(pointer string) Matcher {
	return m.with(test{kind: jsonExists, text: pointer})
}

// IsText: it is a text message.
func (m Matcher) IsText() Matcher {
	return m.with(test{kind: isText})
}

// IsBinary: it is a binary message.
func (m Matcher) IsBinary() Matcher {
	return m.with(test{kind: isBinary})
}

// TextEquals: it is this text.
func (m Matcher) TextEquals(text string) Matcher {
	return m.with(test{kind: textEquals, text: text})
}

// TextPrefix: it is a text that begins with this one.
func (m Matcher) TextPrefix(prefix string) Matcher {
	return m.with(test{kind: textPrefix, text: prefix})
}

// TextContains: it is a text with this one in it.
func (m Matcher) TextContains(part string) Matcher {
	return m.with(test{kind: textContains, text: part})
}

// TextRegex: it is a text that a regular expression matches, which takes linear time and has no
// look-around. Messages of more than 8 KiB never match.
func (m Matcher) TextRegex(expression string) Matcher {
	return m.with(test{kind: textRegex, text: expression})
}

// BinaryPrefix: it is binary and begins with these bytes.
func (m Matcher) BinaryPrefix(prefix []byte) Matcher {
	return m.with(test{kind: binaryPrefix, bytes: prefix})
}

// Role: the client has this role, or another one named so.
func (m Matcher) Role(role string) Matcher {
	m.roles = append(m.roles[:len(m.roles):len(m.roles)], role)
	return m
}

// Listen adds a listener for these messages under a name, 1 to 64 of `[a-z0-9-]`, with priority 0.
// A name that is taken already gets the new matcher instead of the old one.
func (m Matcher) Listen(name string) error {
	return m.ListenWithPriority(name, 0)
}

// ListenWithPriority does it with another priority: the higher ones are called first, and ties in the
// order of their names.
func (m Matcher) ListenWithPriority(name string, priority int32) error {
	if m.err != nil {
		return m.err
	}
	return gateway.addMessageListener(name, m, priority)
}

// RemoveListener removes a listener for messages.
func RemoveListener(name string) error {
	return gateway.removeMessageListener(name)
}

// ListenForDisconnects adds a disconnect listener under a name, for clients on a path; an empty path
// is every path granted to the module. The exported listener must be a DisconnectListener.
func ListenForDisconnects(name, path string) error {
	if _, ok := exported.(DisconnectListener); !ok {
		return fmt.Errorf("the exported %T has no OnDisconnect(*DisconnectEvent) error", exported)
	}
	return gateway.addDisconnectListener(name, path)
}

// RemoveDisconnectListener removes a disconnect listener.
func RemoveDisconnectListener(name string) error {
	return gateway.removeDisconnectListener(name)
}

func (m Matcher) json(kind testKind, pointer string, values ...any) Matcher {
	choices := make([]string, len(values))
	for i, value := range values {
		text, err := json.Marshal(value)
		if err != nil && m.err == nil {
			m.err = fmt.Errorf("matcher for %s: %w", pointer, err)
		}
		choices[i] = string(text)
	}
	return m.with(test{kind: kind, text: pointer, choices: choices})
}

func (m Matcher) with(test test) Matcher {
	m.tests = append(m.tests[:len(m.tests):len(m.tests)], test)
	return m
}
