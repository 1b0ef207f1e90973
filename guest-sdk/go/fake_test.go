package sporegate

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// fake is a gateway that writes down what it is asked for.
type fake struct {
	clients []Client
	pages   int
	refuse  error
	said    []string
}

func with(t *testing.T, gatewayOfTest *fake) *fake {
	t.Helper()
	before, listener := gateway, exported
	gateway = gatewayOfTest
	t.Cleanup(func() { gateway, exported = before, listener })
	return gatewayOfTest
}

func (f *fake) note(format string, values ...any) error {
	f.said = append(f.said, fmt.Sprintf(format, values...))
	return f.refuse
}

func (f *fake) heard(t *testing.T, wanted ...string) {
	t.Helper()
	if got, want := strings.Join(f.said, "\n"), strings.Join(wanted, "\n"); got != want {
		t.Errorf("the gateway heard\n%s\nand not\n%s", got, want)
	}
	f.said = nil
}

func show(message Message) string {
	if message.isBinary {
		return fmt.Sprintf("% x", message.bytes)
	}
	return message.text
}

func (f *fake) basePath() string    { return "/websocket" }
func (f *fake) clientCount() uint64 { return uint64(len(f.clients)) }

func (f *fake) client(id string) (Client, bool) {
	for _, client := range f.clients {
		if client.ID == id {
			return client, true
		}
	}
	return Client{}, false
}

// Two clients a page.
func (f *fake) clientsOnPath(path string, cursor *string, limit uint32) (page, error) {
	begin := 0
	if cursor != nil {
		fmt.Sscan(*cursor, &begin)
	}
	if f.pages++; f.refuse != nil && begin > 0 {
		return page{}, f.refuse
	}
	end := min(begin+2, len(f.clients))
	if end == len(f.clients) {
		return page{clients: f.clients[begin:]}, nil
	}
	next := fmt.Sprint(end)
	return page{f.clients[begin:end], &next}, nil
}

func (f *fake) clientsOfUser(_ string, cursor *string, limit uint32) (page, error) {
	return f.clientsOnPath("", cursor, limit)
}

func (f *fake) claims(id string) (string, bool) {
	return `{"department":"tea"}`, id == "c1"
}

func (f *fake) send(id string, message Message) error {
	return f.note("to %s: %s", id, show(message))
}

func (f *fake) broadcast(to Audience, message Message) (uint64, error) {
	return 7, f.note("to %d %s%v except %v: %s", to.kind, to.name, to.ids, to.except, show(message))
}

func (f *fake) close(id string, code uint16, reason string) error {
	return f.note("close %s: %d %s", id, code, reason)
}

func (f *fake) flush() error { return f.note("flush") }

func (f *fake) addMessageListener(name string, matcher Matcher, priority int32) error {
	line := fmt.Sprintf("%s %d: path %q roles %v", name, priority, matcher.path, matcher.roles)
	for _, test := range matcher.tests {
		line += fmt.Sprintf("; %d %q %x %v", test.kind, test.text, test.bytes, test.choices)
	}
	return f.note("%s", line)
}

func (f *fake) removeMessageListener(name string) error { return f.note("remove %s", name) }

func (f *fake) addDisconnectListener(name, path string) error {
	return f.note("disconnects %s %q", name, path)
}

func (f *fake) removeDisconnectListener(name string) error {
	return f.note("remove disconnects %s", name)
}

func (f *fake) log(level slog.Level, line string) { f.note("%s %s", level, line) }
