/**
 * Cuts text into lines. It comes in pieces cut anywhere, so that what follows the last line end waits for the
 * next piece; text that ends without one is not a line.
 */
export class LineCutter {
  readonly #lineEnd: string | RegExp
  #rest = ''

  constructor(lineEnd: string | RegExp) {
    this.#lineEnd = lineEnd
  }

  /** The lines that this piece completes. Only the piece is searched: a line may have many. */
  cut(piece: string): string[] {
    const [first = '', ...others] = piece.split(this.#lineEnd)
    this.#rest += first
    if (others.length === 0) return []
    const lines = [this.#rest, ...others]
    this.#rest = lines.pop() ?? ''
    return lines
  }
}
