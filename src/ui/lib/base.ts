/** What stands before the server's routes: nothing, or the path of the host that the page is mounted in. */
export const base: string =
  typeof document === "undefined"
    ? ""
    : (document.querySelector('meta[name="clawfiber-base"]')?.getAttribute("content") ?? "")
