import * as json from '../records/scan-json.ts'
import type { Decoded, Sender } from './decoded.ts'
import { timeMs } from './event-facts.ts'
import { Gathering } from './gathering.ts'
import { LIMITS } from '../contract/limits.ts'

/** Makes one RFC 5424 message, its newline included, into the JSON text of a produce record. */
export type LineRecord = (message: Buffer) => string

const RETURN = 0x0d
/** `<PRI>1 `: a syslog message of RFC 5424. */
const SYSLOG = /^<\d{1,3}>1 /
const LONGEST_START = '<999>1 '.length
/** A record that `LineRecord` made has its key and time within its first characters. */
const KEY = /^\{"key":("(?:[^"\\]|\\.){1,512}")/
const TIME = /"timestamp":"([^"\\]{10,40})"/

/**
 * Plain text, one record a line: `{"message":"..."}`. Lines that begin like a syslog message (Cloud Foundry's, one
 * a request or many) are given to `lineRecord`. Lines of nothing but blanks say nothing and are left out.
 */
export function decodeTextLines(body: Buffer, sender: Sender, lineRecord: LineRecord): Decoded {
  const gathering = new Gathering()
  addTextLines(gathering, body, sender, lineRecord)
  return gathering.decoded()
}

/** The same, into what is gathered from several bodies; without `lineRecord` every line is text. */
export function addTextLines(
  gathering: Gathering,
  body: Buffer,
  sender: Sender,
  lineRecord?: LineRecord,
): void {
  for (let from = 0; from < body.length;) {
    if (gathering.isFull()) {
      gathering.addRest(body.subarray(from), { key: sender.source })
      return
    }
    const newline = body.indexOf(json.NEWLINE, from)
    const end = newline === -1 ? body.length : newline
    const next = end + 1
    const to = end > from && body[end - 1] === RETURN ? end - 1 : end
    const line = body.subarray(from, to)
    const isSyslog =
      lineRecord !== undefined && SYSLOG.test(line.toString('latin1', 0, LONGEST_START))
    if (isSyslog) addSyslog(gathering, body.subarray(from, next), line, { sender, lineRecord })
    else if (!isBlankLine(line)) gathering.addText(line, [], { key: sender.source })
    from = next
  }
}

function isBlankLine(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === RETURN)
}

/** What is too long for one record is kept as text, in pieces. */
function addSyslog(
  gathering: Gathering,
  message: Buffer,
  line: Buffer,
  { sender, lineRecord }: { sender: Sender; lineRecord: LineRecord },
): void {
  const record = lineRecord(message)
  if (Buffer.byteLength(record) > LIMITS.drain_record_bytes) {
    gathering.addText(line, [], { key: sender.source })
    return
  }
  const start = record.slice(0, 2048)
  const key = KEY.exec(start)?.[1]
  const time = TIME.exec(start)?.[1]
  gathering.addRecord(record, {
    key: key === undefined ? undefined : (JSON.parse(key) as string),
    time_ms: time === undefined ? undefined : timeMs(time),
  })
}
