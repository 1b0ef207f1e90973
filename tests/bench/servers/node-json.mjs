// The original's way: Node, the package `ws`, JSON.parse, listeners with a matcher each,
// JSON.stringify per client. Kinder than the original: a Set instead of a search per message.
//
// Usage: node node-json.mjs DIRECTORY_WITH_NODE_MODULES
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const require = createRequire(resolve(process.argv[2], 'package.json'));
const { WebSocketServer } = require('ws');

const clients = new Set();
const messageListeners = [];

function addMessageListener(matcher, listener) {
    messageListeners.push({ matcher, listener });
}

function sendMessage(message, client) {
    client.socket.send(JSON.stringify(message));
}

addMessageListener(
    (path, message) => path === '/echo' && message.type === 'echo',
    (message, client) => sendMessage(message, client),
);

addMessageListener(
    (path, message) => path === '/fanout' && message.type === 'echo',
    (message, sender) => {
        for (const client of clients) {
            if (client !== sender && client.path === sender.path) {
                sendMessage(message, client);
            }
        }
    },
);

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 1024 });

server.on('connection', (socket, request) => {
    const client = { socket, path: request.url };
    clients.add(client);
    socket.on('message', (data) => {
        const message = JSON.parse(data.toString('utf8'));
        for (const { matcher, listener } of messageListeners) {
            if (matcher(client.path, message)) {
                listener(message, client);
            }
        }
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => clients.delete(client));
});

server.on('listening', () => {
    console.log(`listening on ws://127.0.0.1:${server.address().port}/`);
});
