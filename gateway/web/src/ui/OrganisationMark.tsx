import classes from "./OrganisationMark.module.css";

interface OrganisationMarkProps {
  organisation: { name: string; logo_url?: string | null };
  size?: "small" | "large";
}

/** An organisation's logo, or the first letter of its name; its name always stands beside it. */
export function OrganisationMark({ organisation, size = "small" }: OrganisationMarkProps) {
  return (
    <span className={classes.mark} data-size={size} aria-hidden="true">
      {organisation.logo_url ? (
        <img src={organisation.logo_url} alt="" />
      ) : (
        [...organisation.name][0]?.toUpperCase()
      )}
    </span>
  );
}
