/** What this browser remembers. A browser that forbids storage costs the memory, not the page. */

const safely = <A>(use: () => A, otherwise: A): A => {
  try {
    return use()
  } catch {
    return otherwise
  }
}

export const recall = (key: string): string | undefined =>
  safely(() => window.localStorage.getItem(`clawfiber.${key}`) ?? undefined, undefined)

export const remember = (key: string, value: string | undefined): void =>
  safely(() => {
    if (value === undefined) window.localStorage.removeItem(`clawfiber.${key}`)
    else window.localStorage.setItem(`clawfiber.${key}`, value)
  }, undefined)
