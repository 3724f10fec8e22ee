import { quote } from '../json-text.ts'

/** What Heroku says about a dyno, as patterns over one line each. */

const STATE = /^State changed from (\S+) to (\S+)$/

/** JSON text of `State changed from starting to up`: from, to. */
export function stateFields(message: string): string | undefined {
  const match = STATE.exec(message)
  if (!match) return undefined
  const [, from = '', to = ''] = match
  return `{"from":${quote(from)},"to":${quote(to)}}`
}

const STARTING = /^Starting process with command (?:`(.*)`|(\S.*?))(?: by user (\S+))?$/s
const STOPPING = /^Stopping (?:all processes|process|remaining processes) with (SIG\w+)$/
const EXITED = /^Process exited with status (-?\d{1,9})$/
const RUNNING = /^Process running mem=(\d{1,12}(?:\.\d{1,6})?)M\((\d{1,9}(?:\.\d{1,6})?)%\)$/
const DOING = /^(Cycling|Idling|Restarting|Unidling)$/

/**
 * JSON text of lines about a dyno's process: event is starting (command, user), stopping (signal), exited
 * (status), running (mem_mb, mem_percent), or cycling, idling, restarting, unidling.
 */
export function processFields(message: string): string | undefined {
  const first = message.charCodeAt(0)
  if (first === 0x53) return starting(message) ?? stopping(message)
  if (first === 0x50) return exited(message) ?? running(message)
  const doing = DOING.exec(message)?.[1]
  return doing && `{"event":"${doing.toLowerCase()}"}`
}

function starting(message: string): string | undefined {
  const match = STARTING.exec(message)
  if (!match) return undefined
  const [, quoted, plain = '', user] = match
  const by = user === undefined ? '' : `,"user":${quote(user)}`
  return `{"event":"starting","command":${quote(quoted ?? plain)}${by}}`
}

function stopping(message: string): string | undefined {
  const signal = STOPPING.exec(message)?.[1]
  return signal && `{"event":"stopping","signal":${quote(signal)}}`
}

function exited(message: string): string | undefined {
  const status = EXITED.exec(message)?.[1]
  return status && `{"event":"exited","status":${Number(status)}}`
}

function running(message: string): string | undefined {
  const match = RUNNING.exec(message)
  return match
    ? `{"event":"running","mem_mb":${Number(match[1])},"mem_percent":${Number(match[2])}}`
    : undefined
}

const ERROR = /^Error ([HLR]\d{1,3})(?: \(([^)]*)\))?(?:(?: ->|:) (.*))?$/s

/** JSON text of `Error R10 (Boot timeout) -> Web process failed to bind …`: code, desc, detail. */
export function errorFields(message: string): string | undefined {
  if (!message.startsWith('Error ')) return undefined
  const match = ERROR.exec(message)
  if (!match) return undefined
  const [, code = '', desc, detail] = match
  const text = (value: string | undefined) => (value === undefined ? 'null' : quote(value))
  return `{"code":${quote(code)},"desc":${text(desc)},"detail":${text(detail)}}`
}
