// What the gateway refuses, as an exception.

/** The cases of the interface's `error`. */
export type ErrorCode =
  | "not-found"
  | "closed"
  | "queue-full"
  | "too-large"
  | "denied"
  | "invalid-argument"
  | "limit-exceeded"
  | "other";

/** Thrown by every call of the gateway that it refuses. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  /** Which case it is: for programs. */
  readonly code: ErrorCode;
  /** What the case carries: the limit in bytes, the grant, the argument, the quota; for people. */
  readonly detail: string | undefined;

  constructor(code: ErrorCode, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

/** Calls the gateway, and makes a `GatewayError` of what it refuses. */
export function asking<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    const refusal = (thrown as { payload?: { tag?: unknown; val?: unknown } } | null)?.payload;
    if (typeof refusal?.tag !== "string") throw thrown;
    const detail = refusal.val === undefined || refusal.val === null ? undefined : String(refusal.val);
    throw new GatewayError(refusal.tag as ErrorCode, detail);
  }
}
