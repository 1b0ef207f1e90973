package sporegate

import "log/slog"

// host is what a module sees of the gateway; tests put their own in its place.
type host interface {
	basePath() string
	client(id string) (Client, bool)
	clientsOnPath(path string, cursor *string, limit uint32) (page, error)
	clientsOfUser(username string, cursor *string, limit uint32) (page, error)
	clientCount() uint64
	claims(id string) (string, bool)
	send(id string, message Message) error
	broadcast(to Audience, message Message) (uint64, error)
	close(id string, code uint16, reason string) error
	flush() error
	addMessageListener(name string, matcher Matcher, priority int32) error
	removeMessageListener(name string) error
	addDisconnectListener(name, path string) error
	removeDisconnectListener(name string) error
	log(level slog.Level, line string)
}
