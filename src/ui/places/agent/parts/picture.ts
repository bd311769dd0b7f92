/** A picture of this device, small enough to travel within a profile: a square of 128 pixels, cut from its middle. */

const SIZE = 128
/** What a profile takes, in characters of the data address. */
const LARGEST = 64 * 1024

/** Undefined: the browser cannot read it as a picture. */
export const readPicture = async (file: File): Promise<string | undefined> => {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(file)
  } catch {
    return undefined
  }
  const canvas = document.createElement("canvas")
  canvas.width = SIZE
  canvas.height = SIZE
  const side = Math.min(bitmap.width, bitmap.height)
  const left = (bitmap.width - side) / 2
  const top = (bitmap.height - side) / 2
  canvas.getContext("2d")?.drawImage(bitmap, left, top, side, side, 0, 0, SIZE, SIZE)
  bitmap.close()
  const png = canvas.toDataURL("image/png")
  return png.length <= LARGEST ? png : canvas.toDataURL("image/jpeg", 0.85)
}
