// Chat rooms: everybody who is connected to /chat/{room} is in that room.
package main

import (
	"errors"

	"sporegate"
)

const rooms = "/chat/{room}"

type chat struct{}

type request struct {
	Type string  `json:"type"`
	Text *string `json:"text"`
}

type notice struct {
	Type    string  `json:"type"`
	Who     any     `json:"who,omitempty"`
	Room    string  `json:"room,omitempty"`
	Text    *string `json:"text,omitempty"`
	Problem string  `json:"problem,omitempty"`
}

func (chat) Start() error {
	if err := sporegate.Match(rooms).Listen("chat"); err != nil {
		return err
	}
	return sporegate.ListenForDisconnects("farewell", rooms)
}

func (chat) OnMessage(event *sporegate.MessageEvent) (sporegate.Outcome, error) {
	request, err := read(event)
	if err != nil {
		return sporegate.Stop, event.ReplyJSON(notice{Type: "error", Problem: err.Error()})
	}
	return sporegate.Stop, answer(event, request)
}

func answer(event *sporegate.MessageEvent, request request) (err error) {
	who := name(event.Client)
	everybody := sporegate.OnPath(event.Client.ConnectPath)
	switch request.Type {
	case "join":
		_, err = everybody.SendJSON(notice{Type: "joined", Who: who, Room: event.PathParam("room")})
	case "say":
		_, err = everybody.SendJSON(notice{Type: "said", Who: who, Text: request.Text})
	case "who":
		present := []string{}
		for client, err := range sporegate.ClientsOnPath(event.Client.ConnectPath) {
			if err != nil {
				return err
			}
			present = append(present, name(client))
		}
		err = event.ReplyJSON(notice{Type: "present", Who: present})
	case "leave":
		err = event.Client.Close(1000, "see you")
	}
	return err
}

func (chat) OnDisconnect(event *sporegate.DisconnectEvent) error {
	everybody := sporegate.OnPath(event.Client.ConnectPath)
	_, err := everybody.SendJSON(notice{Type: "left", Who: name(event.Client)})
	return err
}

// read is what is asked for, or what is wrong with it.
func read(event *sporegate.MessageEvent) (request, error) {
	var request request
	if err := event.Message.Decode(&request); err != nil {
		return request, err
	}
	switch request.Type {
	case "join", "who", "leave":
		return request, nil
	case "say":
		if request.Text == nil {
			return request, errors.New("say needs a text")
		}
		return request, nil
	default:
		return request, errors.New("the type is none of join, say, who, leave")
	}
}

func name(client sporegate.Client) string {
	if client.Anonymous {
		return "somebody"
	}
	return client.Username
}

func init() { sporegate.Export(chat{}) }

func main() {}
