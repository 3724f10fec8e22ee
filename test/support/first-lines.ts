/** The first lines of an answer that goes on; the rest is given up. */
export async function firstLines(response: Response, count: number): Promise<string[]> {
  const decoder = new TextDecoder()
  let text = ''
  if (!response.body) throw new Error('an answer without a body')
  // Leaving the loop cancels the body, and with it the connection.
  for await (const chunk of response.body) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    const lines = text.split('\n')
    if (lines.length > count) return lines.slice(0, count)
  }
  throw new Error(`the answer ended before line ${String(count)}: ${text}`)
}
