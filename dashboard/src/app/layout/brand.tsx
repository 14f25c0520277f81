/** The ring and its name. */
export function Brand() {
  return (
    <span className="sg-brand">
      <img src="/favicon.svg" alt="" width="28" height="28" />
      <span>StarGate</span>
    </span>
  );
}
