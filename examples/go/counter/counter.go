// Counts for each client and for all; the numbers survive a hot swap.
package main

import (
	"errors"

	"sporegate"
	"sporegate/stateful"
)

const schema = 1

// counter is what is handed over, as it is.
type counter struct {
	Total   uint64            `json:"total"`
	Clients map[string]uint64 `json:"clients"`
}

type counted struct {
	Yours uint64 `json:"yours"`
	Total uint64 `json:"total"`
}

type told struct {
	Total   uint64 `json:"total"`
	Clients int    `json:"clients"`
}

type unknown struct {
	Error string `json:"error"`
}

func (c *counter) Start() error {
	if err := sporegate.Match("").Listen("count"); err != nil {
		return err
	}
	return sporegate.ListenForDisconnects("forget", "")
}

func (c *counter) OnMessage(event *sporegate.MessageEvent) (sporegate.Outcome, error) {
	var answer any = unknown{"say count or total"}
	switch text, _ := event.Message.Text(); text {
	case "count":
		c.Total++
		c.Clients[event.Client.ID]++
		answer = counted{c.Clients[event.Client.ID], c.Total}
	case "total":
		answer = told{c.Total, len(c.Clients)}
	}
	return sporegate.Stop, event.ReplyJSON(answer)
}

func (c *counter) OnDisconnect(event *sporegate.DisconnectEvent) error {
	delete(c.Clients, event.Client.ID)
	return nil
}

func (c *counter) ExportState() (stateful.Snapshot, error) {
	return stateful.JSON(schema, c)
}

func (c *counter) ImportState(state stateful.Snapshot) error {
	var read struct {
		Total   *uint64           `json:"total"`
		Clients map[string]uint64 `json:"clients"`
	}
	if err := state.Decode(schema, &read); err != nil {
		return err
	}
	if read.Total == nil || read.Clients == nil {
		return errors.New(`the state is not {"total":N,"clients":{"<client id>":N,...}}`)
	}
	c.Total, c.Clients = *read.Total, read.Clients
	return nil
}

func init() { stateful.Export(&counter{Clients: map[string]uint64{}}) }

func main() {}
