package sporegate

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"strings"
	"testing"
)

var kim = Client{ID: "c1", ConnectPath: "/chat/tea", Username: "kim"}

type silent struct{}

func (silent) Start() error                             { return nil }
func (silent) OnMessage(*MessageEvent) (Outcome, error) { return Stop, nil }

type curious struct {
	silent
	left []string
}

func (c *curious) OnDisconnect(event *DisconnectEvent) error {
	c.left = append(c.left, event.Client.ID)
	return nil
}

func TestWhatIsSentIsTextOrBinaryOrJSON(t *testing.T) {
	gateway := with(t, &fake{})
	event := MessageEvent{Client: kim, pathParams: []pathParam{{"room", "tea"}}}
	_ = event.Reply(Binary([]byte{0, 255}))
	_ = event.ReplyText("hi")
	_ = event.ReplyJSON(map[string]string{"text": "<b>&\u2028"})
	_ = kim.Close(4900, "late")
	_ = Flush()
	gateway.heard(t, "to c1: 00 ff", "to c1: hi", `to c1: {"text":"<b>&\u2028"}`, "close c1: 4900 late", "flush")
	if event.PathParam("room") != "tea" || event.PathParam("user") != "" {
		t.Error("a path parameter is found by its name")
	}
	if err := event.ReplyJSON(func() {}); err == nil {
		t.Error("a function is no JSON")
	}
	gateway.heard(t)
}

func TestWhatIsNoTextIsNotSent(t *testing.T) {
	gateway := with(t, &fake{})
	_, broadcast := OnPath("/a").SendText("\xff")
	_, named := OfUser("\xff").SendText("a")
	for _, err := range []error{kim.SendText("a\xff"), kim.Close(1000, "\xff"), broadcast, named} {
		if !errors.Is(err, ErrInvalidArgument) || !strings.HasSuffix(err.Error(), "is not UTF-8") {
			t.Error(err)
		}
	}
	slog.Info("a\xffb")
	gateway.heard(t, "INFO a\uFFFDb")
}

func TestAnAudienceIsChosenByTheGateway(t *testing.T) {
	gateway := with(t, &fake{})
	all := OnPath("/chat/{room}")
	but := all.Except("c1")
	_, _ = but.Except("c2").SendText("a")
	_, _ = but.Except("c3").SendJSON(1)
	_, _ = all.SendText("b")
	_, _ = OfUser("kim").SendText("c")
	_, _ = WithRole("editor").SendText("d")
	if sent, err := WithIDs("c1", "c2").SendText("e"); sent != 7 || err != nil {
		t.Error(sent, err)
	}
	gateway.heard(t, "to 1 /chat/{room}[] except [c1 c2]: a", "to 1 /chat/{room}[] except [c1 c3]: 1",
		"to 1 /chat/{room}[] except []: b", "to 2 kim[] except []: c", "to 3 editor[] except []: d",
		"to 0 [c1 c2] except []: e")
}

func TestConditionsOfAMatcherAddUp(t *testing.T) {
	gateway := with(t, &fake{})
	rooms := Match("/rooms/{room}").Role("talker").IsText()
	_ = rooms.JSONEquals("/type", "say").Listen("say")
	_ = rooms.JSONOneOf("/n", 1, true, nil).Role("editor").ListenWithPriority("n", -2)
	_ = Match("").JSONExists("/a").TextRegex("^a").BinaryPrefix([]byte{1}).Listen("other")
	gateway.heard(t,
		`say 0: path "/rooms/{room}" roles [talker]; 0 ""  []; 8 "/type"  ["say"]`,
		`n -2: path "/rooms/{room}" roles [talker editor]; 0 ""  []; 9 "/n"  [1 true null]`,
		`other 0: path "" roles []; 7 "/a"  []; 5 "^a"  []; 6 "" 01 []`)
	err := Match("").JSONEquals("/type", make(chan int)).Listen("broken")
	if err == nil || !strings.Contains(err.Error(), "matcher for /type") {
		t.Error(err)
	}
	gateway.heard(t)
}

func TestClientsAreFetchedPageByPageAsTheyAreWanted(t *testing.T) {
	gateway := with(t, &fake{})
	for i := range 5 {
		gateway.clients = append(gateway.clients, Client{ID: fmt.Sprint("c", i)})
	}
	var ids []string
	for client, err := range ClientsOnPath("/chat") {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, client.ID)
	}
	if got := strings.Join(ids, " "); got != "c0 c1 c2 c3 c4" || gateway.pages != 3 {
		t.Error(got, gateway.pages)
	}
	for range ClientsOfUser("kim") {
		break
	}
	if gateway.pages != 4 {
		t.Error("a page too many", gateway.pages)
	}
	gateway.refuse = ErrDenied
	last := error(nil)
	for _, err := range ClientsOnPath("/chat") {
		last = err
	}
	if !errors.Is(last, ErrDenied) {
		t.Error(last)
	}
}

func TestErrorsAreComparedByTheirKind(t *testing.T) {
	err := fmt.Errorf("sending: %w", tooLargeFor(65536))
	if !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrQueueFull) {
		t.Error(err)
	}
	if err.Error() != "sending: too large: 65536 bytes are the most" {
		t.Error(err)
	}
	var refused *Error
	if !errors.As(err, &refused) || errors.Is(ErrTooLarge, refused) {
		t.Error("what has no details is not what has some")
	}
}

func TestClaimsAndMessagesAreReadAsJSON(t *testing.T) {
	with(t, &fake{clients: []Client{kim}})
	var claims struct{ Department string }
	if ok, err := kim.Claims(&claims); !ok || err != nil || claims.Department != "tea" {
		t.Error(ok, err, claims)
	}
	if ok, _ := (Client{ID: "c2"}).Claims(&claims); ok {
		t.Error("who has no claims has none")
	}
	var number int
	if err := Text(" 5 ").Decode(&number); err != nil || number != 5 {
		t.Error(err, number)
	}
	if err := Binary([]byte("5")).Decode(&number); err == nil {
		t.Error("binary is no JSON")
	}
}

func TestAListenerIsExportedOnce(t *testing.T) {
	gateway := with(t, &fake{})
	exported = nil
	if err := start(); err != errNotExported {
		t.Error(err)
	}
	listener := &curious{}
	Export(listener)
	if err := ListenForDisconnects("left", ""); err != nil {
		t.Error(err)
	}
	gateway.heard(t, `disconnects left ""`)
	_ = onDisconnect(&DisconnectEvent{Client: kim})
	if outcome, err := onMessage(&MessageEvent{}); outcome != Stop || err != nil || len(listener.left) != 1 {
		t.Error(outcome, err, listener.left)
	}
	defer func() {
		if recover() == nil {
			t.Error("the second one is refused")
		}
	}()
	Export(silent{})
}

func TestWhoCannotHearOfDisconnectsDoesNotListenForThem(t *testing.T) {
	gateway := with(t, &fake{})
	exported = silent{}
	err := ListenForDisconnects("left", "")
	if err == nil || err.Error() != "the exported sporegate.silent has no OnDisconnect(*DisconnectEvent) error" {
		t.Error(err)
	}
	gateway.heard(t)
}

func TestLinesOfTheLogHaveTheirLevelAndAttributes(t *testing.T) {
	gateway := with(t, &fake{})
	slog.Debug("unseen")
	slog.Warn("late", "client", "c 1", "level", 3)
	slog.With("room", "tea").WithGroup("g").Error("gone", "n", 2)
	log.Printf("plain %d", 1)
	LogLevel.Set(slog.LevelDebug)
	defer LogLevel.Set(slog.LevelInfo)
	slog.Debug("seen")
	gateway.heard(t, `WARN late client="c 1" level=3`, "ERROR gone room=tea g.n=2", "INFO plain 1", "DEBUG seen")
}
