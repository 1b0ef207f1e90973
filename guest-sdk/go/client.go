package sporegate

import (
	"encoding/json"
	"iter"
)

// Client is a client as it was when it was asked for.
type Client struct {
	// ID stays the same across a reconnect, and is never used again.
	ID string
	// ConnectPath is below the base path and begins with `/`.
	ConnectPath string
	// Username is that of the authenticated user; empty for an anonymous client.
	Username string
	// Anonymous clients come only where the path admits them.
	Anonymous bool
	// Roles are sorted, without duplicates.
	Roles []string
}

// Send queues a message to this client. It leaves when the call returns without an error, or at
// Flush.
func (c Client) Send(message Message) error {
	if err := checkText("the message", message.text); err != nil {
		return err
	}
	return gateway.send(c.ID, message)
}

// SendText does it with a text.
func (c Client) SendText(text string) error {
	return c.Send(Text(text))
}

// SendJSON does it with a value as JSON text.
func (c Client) SendJSON(value any) error {
	message, err := JSON(value)
	if err != nil {
		return err
	}
	return c.Send(message)
}

// Close closes the connection with a code, 1000 or 4900 to 4999, and a reason of at most 123 bytes.
func (c Client) Close(code uint16, reason string) error {
	if err := checkText("the reason", reason); err != nil {
		return err
	}
	return gateway.close(c.ID, code, reason)
}

// Claims reads what the authenticator vouched for into value, as json.Unmarshal does; false if there
// is nothing.
func (c Client) Claims(value any) (bool, error) {
	claims, ok := gateway.claims(c.ID)
	if !ok {
		return false, nil
	}
	return true, json.Unmarshal([]byte(claims), value)
}

// GetClient is the client with an id; false if it is gone, or on no path granted to this module.
func GetClient(id string) (Client, bool) {
	return gateway.client(id)
}

// ClientCount is the number of connected clients that this module may see.
func ClientCount() uint64 {
	return gateway.clientCount()
}

// BasePath is the path under which clients connect, such as `/websocket`.
func BasePath() string {
	return gateway.basePath()
}

// Flush lets leave now what the call has queued so far, for answers that stream. What follows is
// all-or-nothing again.
func Flush() error {
	return gateway.flush()
}

// ClientsOnPath are the clients on a path, or on all paths of a pattern. They are fetched page by
// page; an error is the last that comes.
func ClientsOnPath(path string) iter.Seq2[Client, error] {
	return pages(func(cursor *string) (page, error) {
		return gateway.clientsOnPath(path, cursor, pageSize)
	})
}

// ClientsOfUser are the clients of a user, in the same way.
func ClientsOfUser(username string) iter.Seq2[Client, error] {
	return pages(func(cursor *string) (page, error) {
		return gateway.clientsOfUser(username, cursor, pageSize)
	})
}

// The gateway may give fewer.
const pageSize = 256

type page struct {
	clients []Client
	next    *string
}

func pages(fetch func(cursor *string) (page, error)) iter.Seq2[Client, error] {
	return func(yield func(Client, error) bool) {
		var cursor *string
		for {
			page, err := fetch(cursor)
			if err != nil {
				yield(Client{}, err)
				return
			}
			for _, client := range page.clients {
				if !yield(client, nil) {
					return
				}
			}
			if page.next == nil {
				return
			}
			cursor = page.next
		}
	}
}
