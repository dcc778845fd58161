"""The sample accounts: everyone knows their passwords, so they exist on developers' machines only."""

from typing import Final

#: Address, password, role, first and last name, the small id older clients know.
ACCOUNTS: Final = (
    ("admin@bilten.com", "admin123", "admin", "Salma", "Reda", 1),
    ("user@bilten.com", "user123", "user", "Youssef", "Adel", 2),
    ("organizer@bilten.com", "organizer123", "organizer", "Mariam", "Nabil", 3),
)
