import { quote } from './json-text.ts'
import { keyOf } from './heads.ts'

/** What a sender says that it lost, or at most lost: Logplex counts what we stored too late for its patience. */
export interface Gap {
  /** `L10` to `L15` from a line, or which header it was. */
  code: string
  /** Lines. */
  dropped: number
  /** As the sender wrote it. */
  since: string | null
}

/**
 * Logplex's `Error L10 (output buffer overflow): 5 messages dropped since T.` (2013), its
 * `… overflow): drain 'd.…' dropped 5 messages since T` (2022), and log-shuttle's `Error L13: 5 messages lost since T`.
 */
const GAP =
  /^Error (L1[0-5])\b.*?(?:\bdropped (\d{1,15}) messages|\b(\d{1,15}) messages (?:dropped|lost)) since (\S+?)\.?\s*$/
const GAP_CHARS = 500

/** The gap that a line of Logplex or log-shuttle tells of. */
export function readGap(message: string): Gap | undefined {
  if (!message.startsWith('Error L1') || message.length > GAP_CHARS) return undefined
  const match = GAP.exec(message)
  if (!match) return undefined
  const [, code = '', dropped, lost, since = null] = match
  return { code, dropped: Number(dropped ?? lost), since }
}

/** JSON text of a gap's fields. */
export function gapFields({ code, dropped, since }: Gap): string {
  const text = since === null ? 'null' : quote(since)
  return `{"code":${quote(code)},"dropped":${dropped},"since":${text}}`
}

const HEADER = { drop_count: 'Logplex-Drop-Count', lost_count: 'Logplex-Lost-Count' } as const

/**
 * JSON text of the record of a gap that a header tells of, `Logplex-Drop-Count` or `Logplex-Lost-Count`. It has
 * no bytes in the body: its raw and its prefix are empty.
 *
 * @param source first part of the keys; undefined where lines are told apart by their own app
 */
export function gapRecord(
  code: keyof typeof HEADER,
  dropped: number,
  source: string | undefined,
): string {
  const fields = gapFields({ code, dropped, since: null })
  return (
    `{"key":${keyOf(source ?? '', '')},"value":{"timestamp":null,"app":"","process":"",` +
    `"message":"${HEADER[code]}: ${dropped}","kind":"gap","fields":${fields},"raw":"","frame_prefix":""}}`
  )
}
