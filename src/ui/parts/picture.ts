/** A picture of this device, small enough to travel within a profile: a square of 128 pixels, cut from its middle. */

const SIZE = 128
/** What a profile takes, in characters of the data address. */
const LARGEST = 64 * 1024

/** Undefined: the browser cannot read it as a picture. */
const decode = async (file: File): Promise<HTMLImageElement | undefined> => {
  const address = URL.createObjectURL(file)
  try {
    const image = new Image()
    image.src = address
    await image.decode()
    return image.naturalWidth > 0 ? image : undefined
  } catch {
    return undefined
  } finally {
    URL.revokeObjectURL(address)
  }
}

export const readPicture = async (file: File): Promise<string | undefined> => {
  const image = await decode(file)
  if (image === undefined) return undefined
  const canvas = document.createElement("canvas")
  canvas.width = SIZE
  canvas.height = SIZE
  const side = Math.min(image.naturalWidth, image.naturalHeight)
  const left = (image.naturalWidth - side) / 2
  const top = (image.naturalHeight - side) / 2
  canvas.getContext("2d")?.drawImage(image, left, top, side, side, 0, 0, SIZE, SIZE)
  const png = canvas.toDataURL("image/png")
  return png.length <= LARGEST ? png : canvas.toDataURL("image/jpeg", 0.85)
}
