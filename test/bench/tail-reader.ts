import { connect, type Socket } from 'node:net'

const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * A tail over a raw socket that counts the lines it gets and, where asked to, when each came. Lines end with a
 * bare newline, which tells them from the frames of the chunked encoding around them.
 */
export class TailReader {
  lines = 0
  readonly #socket: Socket
  readonly #line: ((number: number) => void) | undefined
  #awaited: { lines: number; resolve: () => void } | undefined
  #last = 0

  constructor(socket: Socket, line?: (number: number) => void) {
    this.#socket = socket
    this.#line = line
    socket.on('data', (chunk) => this.#count(chunk))
    socket.on('error', () => undefined)
  }

  /** Opens a tail and waits for its first line, `begin`, which is not counted. */
  static async open(
    port: number,
    path: string,
    line?: (number: number) => void,
  ): Promise<TailReader> {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\n\r\n`)
    const reader = new TailReader(socket, line)
    await reader.until(1)
    reader.lines = 0
    return reader
  }

  until(lines: number): Promise<void> {
    if (this.lines >= lines) return Promise.resolve()
    return new Promise((resolve) => (this.#awaited = { lines, resolve }))
  }

  close(): void {
    this.#socket.destroy()
  }

  #count(chunk: Buffer): void {
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) {
      if ((at === 0 ? this.#last : chunk[at - 1]) === RETURN) continue
      this.lines++
      this.#line?.(this.lines)
    }
    this.#last = chunk[chunk.length - 1] ?? 0
    if (this.#awaited && this.lines >= this.#awaited.lines) this.#awaited.resolve()
  }
}
