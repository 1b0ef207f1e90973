import type { Payload, Snapshot } from "@sporegate/guest";

/** What a request asks for. */
export interface TestRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** An answer: chunks as they come, an `Error` where it breaks off with that case of `wasi:http`; or why there is none. */
export type TestAnswer =
  | { status?: number; headers?: Record<string, string>; chunks?: Iterable<string | Uint8Array | Error> }
  | { error: { tag: string; val?: unknown } };

export interface LoadOptions {
  config?: Record<string, string>;
  http?(request: TestRequest): TestAnswer;
  /** The buckets that are granted, by name, with what is in them: to fill, to look at, to give to the next revision. */
  buckets?: Record<string, Map<string, Uint8Array>>;
  /** What an older revision has handed over. */
  state?: Snapshot;
}

/** Loads the source of a listener anew, and starts it. Throws what its `start` throws, as text. */
export function load(source: URL | string, options?: LoadOptions): Promise<TestGateway>;

export interface TestGateway {
  readonly listeners: Map<string, { matcher: unknown; priority: number }>;
  readonly disconnectListeners: Map<string, { path: string | undefined }>;
  connect(path: string, options?: { username?: string; roles?: string[]; claims?: object }): TestClient;
  exportState(): Promise<Snapshot>;
}

export interface TestClient {
  readonly id: string;
  readonly inbox: Payload[];
  readonly closed: { code: number; reason: string } | undefined;
  says(message: Payload, options?: { listener?: string; pathParams?: Record<string, string> }): Promise<"stop" | "proceed">;
  leaves(options?: { code?: number; reason?: string; listener?: string }): Promise<void>;
  takes(): Payload[];
}
