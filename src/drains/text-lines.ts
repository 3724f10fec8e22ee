import * as json from '../records/scan-json.ts'
import type { Decoded, Sender } from './decoded.ts'
import { Gathering } from './gathering.ts'

const RETURN = 0x0d
/** `<PRI>1 `: a syslog message of RFC 5424. */
const SYSLOG = /^<\d{1,3}>1 /
const LONGEST_START = '<999>1 '.length

/** Does a text consist of syslog messages, as Cloud Foundry sends them, one a request or many? */
export function isSyslogText(body: Buffer): boolean {
  return SYSLOG.test(body.toString('latin1', 0, LONGEST_START))
}

/** Plain text, one record a line: `{"message":"..."}`. Lines of nothing but blanks say nothing and are left out. */
export function decodeTextLines(body: Buffer, sender: Sender): Decoded {
  const gathering = new Gathering()
  addTextLines(gathering, body, sender)
  return gathering.decoded()
}

/** The same, into what is gathered from several bodies. */
export function addTextLines(gathering: Gathering, body: Buffer, sender: Sender): void {
  for (let from = 0; from < body.length;) {
    if (gathering.isFull()) {
      gathering.addRest(body.subarray(from), { key: sender.source })
      return
    }
    const newline = body.indexOf(json.NEWLINE, from)
    const end = newline === -1 ? body.length : newline
    const to = end > from && body[end - 1] === RETURN ? end - 1 : end
    const line = body.subarray(from, to)
    if (!isBlankLine(line)) gathering.addText(line, [], { key: sender.source })
    from = end + 1
  }
}

function isBlankLine(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === RETURN)
}
