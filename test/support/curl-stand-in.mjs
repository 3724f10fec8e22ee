/** Does what `curl -s URL -H … -d …` does, for machines without curl. */
const words = process.argv.slice(2)
const headers = {}
let url = ''
let body
while (words.length > 0) {
  const word = words.shift() ?? ''
  if (word === '-H') {
    const [name = '', value = ''] = (words.shift() ?? '').split(/:\s*/, 2)
    headers[name] = value
  } else if (word === '-d') body = words.shift()
  else if (!word.startsWith('-')) url = word
}
try {
  const response = await fetch(url, body ? { method: 'POST', headers, body } : { headers })
  process.stdout.write(await response.text())
} catch {
  process.exitCode = 7
}
