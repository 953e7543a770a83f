import { Button } from "@mantine/core";
import { useState } from "react";

interface SureButtonProps {
  children: string;
  /** What it says after the first press. */
  sure: string;
  loading?: boolean;
  onConfirm: () => void;
}

/** For what cannot be taken back: the first press asks, the second does it. */
export function SureButton({ children, sure, loading = false, onConfirm }: SureButtonProps) {
  const [asking, setAsking] = useState(false);

  function press() {
    setAsking(!asking);
    if (asking) onConfirm();
  }

  return (
    <Button
      variant={asking ? "filled" : "subtle"}
      color="signal"
      size="sm"
      loading={loading}
      onBlur={() => setAsking(false)}
      onClick={press}
    >
      {asking ? sure : children}
    </Button>
  );
}
