"""How fast LDIE is, against plain references that stay here."""
