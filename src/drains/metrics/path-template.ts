import { segmentTemplate } from './segment-template.ts'

/** Of a longer path only this much is looked at, and the template says that there is more. */
const PATH_CHARS = 2_048
const SEGMENTS = 8
const TEMPLATE_CHARS = 120
const MORE = '*'
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i
const AFTER_PATH = /[?#]/

/**
 * What a path's requests have in common: `/users/123//orders/9f0c2d1a-...?x=1` -> `/users/:id/orders/:uuid`. Percent
 * escapes are decoded; empty segments, a slash at the end and parameters like `;jsessionid=...` left out. At most 8 segments and about 120 characters; `*`
 * stands for what is beyond. Two paths may have one template without being one route; rows are bounded anyway, so
 * this need not know all forms of an id, only the common ones.
 */
export function pathTemplate(path: string): string {
  const cut = path.length > PATH_CHARS ? path.slice(0, PATH_CHARS) : path
  const bare = cut.startsWith('/') ? cut : cut.replace(ORIGIN, '')
  const end = bare.search(AFTER_PATH)
  const segments = (end < 0 ? bare : bare.slice(0, end)).split('/')
  const kept: string[] = ['']
  let length = 0
  for (const part of segments) {
    const parameters = part.indexOf(';')
    const segment = parameters < 0 ? part : part.slice(0, parameters)
    if (segment === '') continue
    const template = segmentTemplate(segment)
    length += template.length + 1
    if (kept.length > SEGMENTS || length > TEMPLATE_CHARS) {
      kept.push(MORE)
      break
    }
    kept.push(template)
  }
  if (kept.length === 1) return path === '' ? '' : '/'
  // `*` is a request for the whole server, not a path.
  return kept.length === 2 && path === '*' ? path : kept.join('/')
}
