/** The only reader of the environment among the client commands. */

/** Where the server is, unless the caller says otherwise. */
export function serverUrl(): string {
  const port = process.env['TAILRACE_PORT'] ?? process.env['PORT'] ?? '7070'
  return `http://127.0.0.1:${port}`
}
