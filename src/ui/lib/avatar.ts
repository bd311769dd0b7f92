/** Avatars are drawn here from name and id: nothing is fetched for them. */

/** All hold white text at 4.5 : 1 or better. */
const colours = ["#0b6e6e", "#7a4fa3", "#b04e0f", "#2f5d9b", "#8a3b5c", "#3f6b2a", "#33475b", "#8a5a00", "#5a4bb0"]

/** FNV-1a: the same id has the same colour everywhere. */
export const colourOf = (id: string): string => {
  let hash = 0x811c9dc5
  for (let index = 0; index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  }
  return colours[(hash >>> 0) % colours.length] ?? "#0b6e6e"
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The first letter, Chinese character or joined emoji of a name. */
export const initialOf = (name: string): string => {
  for (const { segment } of segmenter.segment(name.trim())) {
    if (/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(segment)) return segment.toLocaleUpperCase()
  }
  return "·"
}

/** A picture that travels inside the profile itself. Any other address would be a request to a stranger. */
export const isLocalPicture = (avatar: string): boolean =>
  /^data:image\/(png|jpeg|webp|gif|svg\+xml)[;,]/i.test(avatar) && avatar.length <= 200_000
