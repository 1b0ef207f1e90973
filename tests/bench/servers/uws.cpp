// The floor that system calls set: uWebSockets on epoll, one thread, no TLS, no compression.
// `/echo` sends every message back as it came; `/fanout` publishes it to all other clients.
#include <cstdio>
#include <cstdlib>

#include "App.h"

struct Client {};

int main() {
    uWS::App::WebSocketBehavior<Client> echo;
    echo.message = [](auto *socket, std::string_view message, uWS::OpCode code) {
        socket->send(message, code);
    };

    uWS::App::WebSocketBehavior<Client> fanout;
    // Nothing may be dropped: a slow reader must count as work still to do.
    fanout.maxBackpressure = 16 * 1024 * 1024;
    fanout.open = [](auto *socket) { socket->subscribe("all"); };
    fanout.message = [](auto *socket, std::string_view message, uWS::OpCode code) {
        socket->publish("all", message, code);
    };

    uWS::App()
        .ws<Client>("/echo", std::move(echo))
        .ws<Client>("/fanout", std::move(fanout))
        .listen("127.0.0.1", 0, [](us_listen_socket_t *socket) {
            if (socket == nullptr) {
                std::fprintf(stderr, "cannot listen on 127.0.0.1\n");
                std::exit(1);
            }
            int port = us_socket_local_port(0, reinterpret_cast<us_socket_t *>(socket));
            std::printf("listening on ws://127.0.0.1:%d/\n", port);
            std::fflush(stdout);
        })
        .run();
}
