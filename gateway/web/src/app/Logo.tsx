/** A mill wheel over water. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f5b55" />
      <g stroke="#f6f5f1" strokeLinecap="round">
        <circle cx="16" cy="13.5" r="6.3" strokeWidth="2.2" />
        <path d="M16 7.2v12.6M9.7 13.5h12.6M11.5 9l9 9M20.5 9l-9 9" strokeWidth="1.4" />
      </g>
      <path
        d="M5 24.5c2-1.6 3.7-1.6 5.5 0s3.6 1.6 5.5 0 3.7-1.6 5.5 0 3.6 1.6 5.5 0"
        stroke="#e3b45c"
        strokeWidth="2.2"
        strokeLinecap="round"
      />
    </svg>
  );
}
