// Bun with a listener in JavaScript: JSON.parse, the listener, JSON.stringify.
//
// Usage: bun bun-json.mjs
const messageListeners = [
    {
        matcher: (path, message) => path === '/echo' && message.type === 'echo',
        listener: (message, socket) => socket.send(JSON.stringify(message)),
    },
];

const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request, server) {
        const path = new URL(request.url).pathname;
        return server.upgrade(request, { data: { path } })
            ? undefined
            : new Response('a WebSocket upgrade is expected', { status: 426 });
    },
    websocket: {
        message(socket, data) {
            const message = JSON.parse(data);
            for (const { matcher, listener } of messageListeners) {
                if (matcher(socket.data.path, message)) {
                    listener(message, socket);
                }
            }
        },
    },
});

console.log(`listening on ws://127.0.0.1:${server.port}/`);
