/** Stable exit codes of the command line. */
export const EXIT = { server: 6 } as const
