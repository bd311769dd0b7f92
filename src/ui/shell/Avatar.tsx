import { colourOf, initialOf, isLocalPicture } from "../lib/avatar.ts"

export const Avatar = (props: {
  readonly id: string
  readonly name: string
  readonly avatar: string
  readonly size?: number
}) => {
  const size = props.size ?? 36
  // The name stands beside it everywhere: for a screen reader the picture would only repeat it.
  return isLocalPicture(props.avatar) ? (
    <img className="avatar" src={props.avatar} width={size} height={size} alt="" />
  ) : (
    <span
      className="avatar"
      aria-hidden="true"
      style={{ width: size, height: size, fontSize: size * 0.44, background: colourOf(props.id) }}
    >
      {initialOf(props.name)}
    </span>
  )
}
