import type { Decoded, Sender } from './decoded.ts'
import { splitFrames } from './frames.ts'
import { gapRecord } from './gaps.ts'
import { LineDecoder, type LineOptions } from './line-record.ts'
import type { SyslogOptions } from './syslog.ts'

export interface LogplexOptions extends SyslogOptions {
  /** `Logplex-Drop-Count` and `Logplex-Lost-Count`: lines. */
  dropped?: number | undefined
  lost?: number | undefined
}

/**
 * Makes records of the body of an `application/logplex-1` request: one for each message, in order, and one for
 * each loss that the headers tell of. Nothing makes it throw; what is no syslog, or not framed, is kept and flagged.
 * A body can be put together again from its records, but for lines of requests to the drain itself.
 */
export function decodeLogplex(body: Buffer, sender: Sender, options: LogplexOptions): Decoded {
  const decoder = decodeLines(body, sender, { is_logplex: options.is_logplex, framing: 'counts' })
  // log-shuttle writes what its headers say into the body, too, as L12 and L13 lines: it is told once.
  addGap(decoder, 'drop_count', (options.dropped ?? 0) - (decoder.lost.get('L12') ?? 0), sender)
  addGap(decoder, 'lost_count', (options.lost ?? 0) - (decoder.lost.get('L13') ?? 0), sender)
  return decoder.decoded
}

/**
 * Makes records of a text of RFC 5424 messages, one a line, as Cloud Foundry sends them: a line that does not
 * begin with `<PRI>1 ` belongs to the message before it. Messages may have octet counts as well.
 */
export function decodeSyslogText(body: Buffer, sender: Sender): Decoded {
  return decodeLines(body, sender, { is_logplex: false, framing: 'lines' }).decoded
}

function decodeLines(body: Buffer, sender: Sender, options: LineOptions): LineDecoder {
  const text = body.toString('latin1')
  const decoder = new LineDecoder(body, text, sender, options)
  for (const frame of splitFrames(text)) decoder.add(frame)
  return decoder
}

function addGap(
  { decoded }: LineDecoder,
  code: Parameters<typeof gapRecord>[0],
  count: number,
  { source }: Sender,
): void {
  if (!(count > 0)) return
  decoded.records.push(gapRecord(code, count, source))
  decoded.seen.dropped += count
}
