const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/**
 * Until the memory of the process is what stands idle in it: what the last handshakes left behind is let go of in the
 * next turns, and pages that V8 has emptied go back to the system some seconds later.
 */
export const settle = async (collect: (() => void) | undefined): Promise<void> => {
  for (const wait of [100, 100, 100, 5_000, 5_000]) {
    await pause(wait)
    collect?.()
  }
}
