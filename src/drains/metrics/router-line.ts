import { requestOfOtlp } from './otlp-request.ts'
import { requestOfProxy } from './proxy-request.ts'
import { isMembers, lineTime, requestOfFields, type RequestSeen } from './request-seen.ts'

/**
 * The request that a drain's record tells of; undefined where it tells of none. Understood are Heroku's router lines,
 * events of Vercel with a `proxy`, and records of Heroku Fir's router that came by OTLP. `value` is the record's, as
 * JSON.parse gives it; nothing in it makes this throw.
 */
export function requestOf(value: unknown): RequestSeen | undefined {
  if (!isMembers(value)) return undefined
  if (value['kind'] === 'router' && isMembers(value['fields'])) {
    return requestOfFields(value['fields'], lineTime(value['timestamp']))
  }
  if (isMembers(value['proxy'])) return requestOfProxy(value, value['proxy'])
  return requestOfOtlp(value)
}
