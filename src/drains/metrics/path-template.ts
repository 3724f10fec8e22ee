import { segmentTemplate } from './segment-template.ts'

/** Of a longer path only this much is looked at, and the template says that there is more. */
const PATH_CHARS = 2_048
const SEGMENTS = 8
const TEMPLATE_CHARS = 120
const MORE = '*'
const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i

/**
 * What a path's requests have in common: `/users/123//orders/9f0c2d1a-...?x=1` -> `/users/:id/orders/:uuid`. Percent
 * escapes are decoded; empty segments, a slash at the end and parameters like `;jsessionid=...` left out. At most 8 segments and about 120 characters; `*`
 * stands for what is beyond. Two paths may have one template without being one route; rows are bounded anyway, so
 * this need not know all forms of an id, only the common ones.
 */
export function pathTemplate(path: string): string {
  // `*` is a request for the whole server, not a path.
  if (path === '' || path === MORE) return path
  const cut = path.length > PATH_CHARS ? path.slice(0, PATH_CHARS) : path
  return templateOf(cut.startsWith('/') ? cut : cut.replace(ORIGIN, ''))
}

function templateOf(path: string): string {
  const end = endOf(path)
  const kept: string[] = []
  let length = 0
  for (let at = 0; at < end;) {
    const slash = path.indexOf('/', at)
    const next = slash < 0 || slash > end ? end : slash
    const segment = withoutParameters(path.slice(at, next))
    at = next + 1
    if (segment === '') continue
    const template = segmentTemplate(segment)
    length += template.length + 1
    if (kept.length === SEGMENTS || length > TEMPLATE_CHARS) {
      kept.push(MORE)
      break
    }
    kept.push(template)
  }
  return `/${kept.join('/')}`
}

/** Where the query or the fragment begins. */
function endOf(path: string): number {
  const query = path.indexOf('?')
  const fragment = path.indexOf('#')
  if (query < 0) return fragment < 0 ? path.length : fragment
  return fragment < 0 ? query : Math.min(query, fragment)
}

function withoutParameters(segment: string): string {
  const semicolon = segment.indexOf(';')
  return semicolon < 0 ? segment : segment.slice(0, semicolon)
}
