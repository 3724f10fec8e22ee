/** What a codec makes of the body of one request. */
export interface Decoded {
  /** One produce record each, as JSON text on one line: `{"key","value","headers"?}`. */
  records: string[]
  /** What the sender calls each of the records, in their order, where it names every one. */
  ids?: string[]
  seen: Seen
}

/** What a body says about its sender; shown to the drain's owner. */
export interface Seen {
  /** Log lines, or events: those that were looped are not among them. */
  lines: number
  /** Lines of which the sender says that it lost them. */
  dropped: number
  /** Lines that were kept, but not understood, or not as announced. */
  flagged: number
  /** Lines left out because they tell of requests to this very drain. */
  looped: number
  /** Where lines came from, such as `app/web.1`; at most a few hundred of a body. */
  sources: ReadonlySet<string>
  /** Epoch ms of the youngest line that has a time. */
  newest_ms: number | undefined
}

/** Who sends, and to where. */
export interface Sender {
  /** First part of the keys: what tells the apps of one drain apart. Undefined: each line's own app. */
  source: string | undefined
  /** Host (with its port, if not the usual one) and path of this drain: router lines that name them are a loop. */
  own?: { host: string; path: string } | undefined
}
