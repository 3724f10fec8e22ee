import type { Writable } from 'node:stream'
import pg from 'pg'

/** A statement prepared by name whose last parameter is a payload. */
export interface PayloadStatement {
  name: string
  text: string
  /** All parameters but the last. */
  values: readonly unknown[]
  /** The bytes of the last parameter, a bytea, in as many pieces as they happen to lie in. */
  payload: readonly Buffer[]
}

/** What pg sends its messages through. */
interface Wire {
  stream: Writable
  _send(message: Buffer): boolean
}

/** The part of pg's Query that its type declarations leave out. */
interface PreparedQuery extends pg.Submittable {
  prepare(wire: Wire): void
  callback?: (error: Error | null, result: pg.QueryResult) => void
}
const Query = pg.Query as unknown as new (config: pg.QueryConfig) => PreparedQuery

const BIND = 'B'.charCodeAt(0)
const EMPTY = Buffer.alloc(0)
/** What follows the last parameter's length in Bind: one format code (0: text) for all result columns. */
const BIND_END = 4
/** Pieces below this are joined: a write costs more than copying them. */
const SMALL = 4096

/**
 * Sends the payload from where it lies. pg would have it in one Buffer and copy that into its message: two
 * copies of each byte, and as much garbage again, which at 60 MB/s forced a full collection every 80 ms.
 *
 * pg builds the Bind message (protocol 3.0, "Message Formats") around an empty last parameter; on its way
 * out its two lengths are corrected and the pieces go where the empty parameter was.
 */
class PayloadQuery extends Query {
  readonly #payload: readonly Buffer[]
  readonly #sent: () => void

  constructor({ payload, ...statement }: PayloadStatement, sent: () => void) {
    super({ ...statement, values: [...statement.values, EMPTY] })
    this.#payload = joinSmall(payload)
    this.#sent = sent
  }

  override prepare(wire: Wire): void {
    const spliced = Object.create(wire) as Wire
    spliced._send = (message) =>
      message[0] === BIND ? this.#sendBind(wire, message) : wire._send(message)
    super.prepare(spliced)
  }

  #sendBind(wire: Wire, bind: Buffer): boolean {
    const bytes = this.#payload.reduce((sum, piece) => sum + piece.length, 0)
    const end = bind.length - BIND_END
    bind.writeInt32BE(bind.readInt32BE(1) + bytes, 1)
    bind.writeInt32BE(bytes, end - 4)
    wire._send(bind.subarray(0, end))
    for (const piece of this.#payload) wire._send(piece)
    return wire.stream.write(bind.subarray(end), this.#sent)
  }
}

function joinSmall(pieces: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = []
  let small: Buffer[] = []
  const flushSmall = () => {
    if (small.length > 0)
      joined.push(small.length === 1 ? (small[0] as Buffer) : Buffer.concat(small))
    small = []
  }
  for (const piece of pieces) {
    if (piece.length < SMALL) small.push(piece)
    else {
      flushSmall()
      joined.push(piece)
    }
  }
  flushSmall()
  return joined
}

/** Runs the statement; `sent` is called once its last byte was handed to the system, if it ever is. */
export function queryWithPayload<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  statement: PayloadStatement,
  sent: () => void = () => undefined,
): Promise<pg.QueryResult<Row>> {
  return new Promise((resolve, reject) => {
    const query = new PayloadQuery(statement, sent)
    query.callback = (error, result) => {
      if (error) reject(error)
      else resolve(result as pg.QueryResult<Row>)
    }
    client.query(query)
  })
}
