/** One element, `[id name="value" …]`; in values `"`, `\` and `]` are escaped (RFC 5424, section 6.3). */
const WITH_PARAMS = /\[[!#-<>-\\^-~]{1,32}(?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\[^])*")+\]/y
const ANY = /\[[!#-<>-\\^-~]{1,32}(?: [!#-<>-\\^-~]{1,32}="(?:[^"\\\]]|\\[^])*")*\]/y

/**
 * How long the structured data is that a text begins with, or -1 where that is something else. An element
 * without parameters counts only where `bare` ones are expected: `[GIN]`, `[12-1]` and `[uuid]` begin real texts.
 */
export function structuredDataLength(text: string, bare: boolean): number {
  const element = bare ? ANY : WITH_PARAMS
  let at = 0
  while (text[at] === '[') {
    element.lastIndex = at
    if (!element.test(text)) break
    at = element.lastIndex
  }
  const isEnd = at === text.length || text[at] === ' '
  return at > 0 && isEnd ? at : -1
}
