import { quote } from '../json-text.ts'

/** Who did it, at the end of what the platform API writes. */
const BY_USER = /^(.*\S) by (?:user )?(\S+)$/s

/** What was done, and what is taken out of its text; the first that fits. */
const EVENTS: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/^Release v(\d{1,9}) created$/, ([, to]) => `{"event":"release","version":${Number(to)}`],
  [/^Rollback to v(\d{1,9})$/, ([, to]) => `{"event":"rollback","version":${Number(to)}`],
  [/^Deploy (\S+)$/, ([, to = '']) => `{"event":"deploy","commit":${quote(to)}`],
  [/^Scaled to (.+)$/, ([, to = '']) => `{"event":"scale","formation":${formation(to)}`],
  [/^Set (.+?) config vars?$/, ([, names = '']) => `{"event":"set_config","vars":${list(names)}`],
  [
    /^(?:Remove|Unset) (.+?) config vars?$/,
    ([, names = '']) => `{"event":"remove_config","vars":${list(names)}`,
  ],
  [/^Build (started|succeeded|failed)\b/, ([, how = '']) => `{"event":"build","outcome":"${how}"`],
  [/^(Attach|Detach|Update|Create|Enable|Disable|Initial|Add|Destroy)\b.*$/s, other],
]

/**
 * JSON text of what the platform API writes: event is release or rollback (version), deploy (commit), scale
 * (formation), set_config or remove_config (vars), build (outcome) or other (action); and the user.
 */
export function releaseFields(message: string): string | undefined {
  const [, action = message, user] = BY_USER.exec(message) ?? []
  for (const [pattern, fields] of EVENTS) {
    const match = pattern.exec(action)
    if (match) return `${fields(match)},"user":${user === undefined ? 'null' : quote(user)}}`
  }
  return undefined
}

function other([action]: RegExpExecArray): string {
  return `{"event":"other","action":${quote(action)}`
}

/** `web@1:Standard-1X worker@2:Performance-M` as JSON text. */
function formation(text: string): string {
  const parts = [...text.matchAll(/(\S+?)@(\d{1,9})(?::(\S+))?/g)].map(
    ([, process = '', quantity, size]) =>
      `{"process":${quote(process)},"quantity":${Number(quantity)},"size":${size ? quote(size) : 'null'}}`,
  )
  return `[${parts.join(',')}]`
}

function list(names: string): string {
  const parts = names.split(/,\s*|\s+and\s+|\s+/).filter((name) => name !== '')
  return `[${parts.map((name) => quote(name)).join(',')}]`
}
