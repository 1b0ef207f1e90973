package sporegate

// Audience is clients that the gateway chooses, with no call for each of them.
type Audience struct {
	kind   audienceKind
	name   string
	ids    []string
	except []string
}

type audienceKind uint8

const (
	withIDs audienceKind = iota
	onPath
	ofUser
	withRole
)

// OnPath is everybody on a path, or on all paths of a pattern.
func OnPath(path string) Audience {
	return Audience{kind: onPath, name: path}
}

// OfUser is every client of a user.
func OfUser(username string) Audience {
	return Audience{kind: ofUser, name: username}
}

// WithRole is every client whose user has a role.
func WithRole(role string) Audience {
	return Audience{kind: withRole, name: role}
}

// WithIDs is the clients with these ids.
func WithIDs(ids ...string) Audience {
	return Audience{kind: withIDs, ids: ids}
}

// Except leaves the clients with these ids out, besides those that are left out already.
func (a Audience) Except(ids ...string) Audience {
	a.except = append(a.except[:len(a.except):len(a.except)], ids...)
	return a
}

// Send queues a message for everybody, and says for how many that is. Clients whose queue is full
// are treated as their path says.
func (a Audience) Send(message Message) (uint64, error) {
	if err := checkText("the message", message.text); err != nil {
		return 0, err
	}
	if err := checkText("the audience", a.name); err != nil {
		return 0, err
	}
	return gateway.broadcast(a, message)
}

// SendText does it with a text.
func (a Audience) SendText(text string) (uint64, error) {
	return a.Send(Text(text))
}

// SendJSON does it with a value as JSON text.
func (a Audience) SendJSON(value any) (uint64, error) {
	message, err := JSON(value)
	if err != nil {
		return 0, err
	}
	return a.Send(message)
}
