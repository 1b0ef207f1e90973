// TextEncoder and TextDecoder for an engine that has none: UTF-8 only, as the Encoding standard of the WHATWG says.

const REPLACEMENT = "\ufffd";
const CHUNK = 4096;

export class TextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    const bytes = new Uint8Array(text.length * 3);
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      let c = text.charCodeAt(i);
      if (c >= 0xd800 && c <= 0xdfff) {
        const low = c < 0xdc00 ? text.charCodeAt(i + 1) : NaN;
        if (low >= 0xdc00 && low <= 0xdfff) {
          c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
          i++;
        } else {
          c = 0xfffd;
        }
      }
      if (c < 0x80) {
        bytes[at++] = c;
      } else if (c < 0x800) {
        bytes[at++] = 0xc0 | (c >> 6);
        bytes[at++] = 0x80 | (c & 0x3f);
      } else {
        if (c < 0x10000) {
          bytes[at++] = 0xe0 | (c >> 12);
        } else {
          bytes[at++] = 0xf0 | (c >> 18);
          bytes[at++] = 0x80 | ((c >> 12) & 0x3f);
        }
        bytes[at++] = 0x80 | ((c >> 6) & 0x3f);
        bytes[at++] = 0x80 | (c & 0x3f);
      }
    }
    return bytes.slice(0, at);
  }
}

export class TextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  /** Of the sequence that is not whole yet: its code point so far, bytes to come, and the bounds of the next one. */
  #point = 0;
  #missing = 0;
  #lower = 0x80;
  #upper = 0xbf;
  #atStart = true;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false }: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    if (!/^\s*(utf-?8|unicode-1-1-utf-8)\s*$/i.test(label)) throw new RangeError(`only utf-8 is here, not ${label}`);
    this.fatal = fatal;
    this.ignoreBOM = ignoreBOM;
  }

  decode(input: ArrayBuffer | ArrayBufferView = new Uint8Array(), { stream = false }: { stream?: boolean } = {}): string {
    const bytes = ArrayBuffer.isView(input)
      ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength)
      : new Uint8Array(input);
    try {
      const text = this.#run(bytes, stream);
      if (!stream) this.#reset();
      return text;
    } catch (error) {
      this.#reset();
      throw error;
    }
  }

  #run(bytes: Uint8Array, stream: boolean): string {
    let text = "";
    let units: number[] = [];
    const put = (point: number) => {
      if (this.#atStart) {
        this.#atStart = false;
        if (point === 0xfeff && !this.ignoreBOM) return;
      }
      if (point >= 0x10000) units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff));
      else units.push(point);
      if (units.length >= CHUNK) {
        text += String.fromCharCode(...units);
        units = [];
      }
    };
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (this.#missing === 0) {
        if (byte < 0x80) put(byte);
        else if (!this.#lead(byte)) put(this.#bad());
        continue;
      }
      if (byte < this.#lower || byte > this.#upper) {
        // What was begun is one error, and this byte begins anew.
        this.#clear();
        put(this.#bad());
        i--;
        continue;
      }
      this.#lower = 0x80;
      this.#upper = 0xbf;
      this.#point = (this.#point << 6) | (byte & 0x3f);
      if (--this.#missing === 0) {
        put(this.#point);
        this.#clear();
      }
    }
    if (!stream && this.#missing > 0) {
      this.#clear();
      put(this.#bad());
    }
    return text + String.fromCharCode(...units);
  }

  /** Takes the first byte of a sequence; false if no sequence begins so. */
  #lead(byte: number): boolean {
    if (byte >= 0xc2 && byte <= 0xdf) {
      this.#missing = 1;
      this.#point = byte & 0x1f;
    } else if (byte >= 0xe0 && byte <= 0xef) {
      if (byte === 0xe0) this.#lower = 0xa0;
      if (byte === 0xed) this.#upper = 0x9f;
      this.#missing = 2;
      this.#point = byte & 0x0f;
    } else if (byte >= 0xf0 && byte <= 0xf4) {
      if (byte === 0xf0) this.#lower = 0x90;
      if (byte === 0xf4) this.#upper = 0x8f;
      this.#missing = 3;
      this.#point = byte & 0x07;
    } else {
      return false;
    }
    return true;
  }

  #bad(): number {
    if (this.fatal) throw new TypeError("the bytes are not UTF-8");
    return REPLACEMENT.charCodeAt(0);
  }

  #clear(): void {
    this.#point = 0;
    this.#missing = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  #reset(): void {
    this.#clear();
    this.#atStart = true;
  }
}
