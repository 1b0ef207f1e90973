// Types of sporegate-client.js. They need neither the types of a browser nor those of Node.

/** What a message is: text, or bytes. */
export type Message = string | ArrayBuffer;

/** What can be sent. */
export type Sendable = string | ArrayBuffer | ArrayBufferView;

/**
 * Why the gateway began a fresh session instead of the one that was asked for: it waited too long, had to
 * give way to others, is not known, misses messages, or is somebody else's. More may be added.
 */
export type Refusal = "expired" | "evicted" | "unknown" | "gap" | "principal" | (string & {});

/** The session goes on, or a fresh one begins: then subscriptions and the like must be made again. */
export interface Opened {
  readonly resumed: boolean;
  /** Only if a session was asked for and the gateway says why it does not go on. */
  readonly refused?: Refusal;
}

/** There is no connection for the moment; `close()` in the handler gives it up. */
export interface Down {
  /** The close code; 1006 if there was none, or `timeout` or `silence` was over; 0 if `token` failed. */
  readonly code: number;
  readonly reason: string;
  /** Whether it had been open; else it was refused, or nobody answers: browsers do not tell which. */
  readonly opened: boolean;
  /** Milliseconds until the next attempt. */
  readonly retryIn: number;
}

/** The end: nothing more happens. */
export interface Ended {
  /** The close code; 1000 after `close()`; 0 if there is no such socket, because of its URL, say. */
  readonly code: number;
  readonly reason: string;
}

/** The part of a WebSocket that is used. */
export interface Socket {
  readonly readyState: number;
  send(data: any): void;
  close(code?: number): void;
}

export interface Options {
  /**
   * Gives the token, in the form that a subprotocol can carry: a JSON Web Token, or one of a token file.
   * Asked at first, after 4401, and after each attempt that did not open. Without it a cookie may do.
   */
  token?: () => string | null | undefined | Promise<string | null | undefined>;
  /** Subprotocols of the application, in the order of preference. */
  protocols?: readonly string[];
  /** The class of sockets where there is no global one, such as that of the package `ws`. */
  WebSocket?: new (url: string, protocols: string[]) => Socket;
  /** First and greatest bound of waits, in milliseconds: 250 and 30,000. */
  minDelay?: number;
  maxDelay?: number;
  /** Milliseconds until an attempt is given up, the token included: 10,000. 0: never. */
  timeout?: number;
  /**
   * Milliseconds without any message until a socket is taken for dead: 0, never. Thrice the gateway's
   * `keep_alive` is a good value; a page cannot see pings.
   */
  silence?: number;
  /**
   * Whether the gateway greets: true. Where its `greeting` is off, say false: then a connection is open
   * without waiting for the first message, and sessions are not resumed.
   */
  greeting?: boolean;
  /** How many messages `send` keeps while there is no connection: 0. */
  buffer?: number;

  /** Each message, in order. It counts as received even if this throws. */
  onmessage?(message: Message): void;
  onopen?(opened: Opened): void;
  ondown?(down: Down): void;
  onend?(ended: Ended): void;
}

export interface Client {
  readonly state: "connecting" | "open" | "waiting" | "ended";
  /** Stands for the session, and changes with each socket. Secret. */
  readonly clientId: string | undefined;
  /** Messages of this session that were handed to `onmessage`. */
  readonly received: number;
  /** What waits to be sent, the oldest first. It goes out after `onopen`; a fresh session may empty it. */
  readonly queue: Sendable[];
  /**
   * Whether the message was given to the socket, or kept because there is room in the buffer. False: it
   * was dropped. True does not say that it arrived.
   */
  send(message: Sendable): boolean;
  /** Opens a new socket now, without waiting: when a device is online again, say. */
  reconnect(): void;
  /** Ends the session. If there is no open socket, the gateway ends it after its reconnect time-out. */
  close(): void;
}

/** Connects, and keeps connecting until `close()` or a close code that says stop. */
export function connect(url: string | { toString(): string }, options?: Options): Client;
