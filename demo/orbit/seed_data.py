"""The words that the seed composes its rows from."""

# Name, legal name, type, vertical. Between them: scripts from several corners of
# the world, quotes, an emoji, and every way in which an optional field is empty.
SPECIAL_CLIENTS = [
    ("Müller & Söhne Käserei", "Müller & Söhne Käserei GmbH & Co. KG", "customer", "food"),
    ("さくら物流", "株式会社さくら物流", "customer", "logistics"),
    ("شركة النخيل للطاقة", "شركة النخيل للطاقة ذ.م.م", "prospect", "energy"),
    ("Blå Fjord Sjømat", "Blå Fjord Sjømat AS", "partner", "food"),
    ("Łódź Precision Works", None, "customer", "manufacturing"),
    ("Θάλασσα Ναυτιλιακή", None, "prospect", None),
    ("한빛 병원", "의료법인 한빛", "customer", "health"),
    ("Sunny Side Bakery 🥐", "Sunny Side Bakery LLC", "customer", "food"),
    ('The "Quoted" Company', 'The "Quoted" Company <Holdings> & Co', "former", "retail"),
    ("O'Hara, Núñez y Asociados", "O'Hara, Núñez y Asociados S.L.", "prospect", "finance"),
    ("Solo Consulting", None, "prospect", None),
    ("Unnamed Vertical Ltd", "Unnamed Vertical Ltd", "prospect", ""),
    ("Blank Register Co", "", "former", ""),
    ("深圳市晨光电子", "深圳市晨光电子有限公司", "partner", "manufacturing"),
    ("Ősi Fa Asztalos Műhely", "Ősi Fa Kft.", "customer", "manufacturing"),
    ("נהר כחול השקיה", None, "customer", "food"),
]

CLIENT_HEADS = ["Alder", "Brightwater", "Copperfield", "Dunmore", "Eastgate", "Fernhill", "Greystone", "Harrow"]
CLIENT_TAILS = [
    ("Academy", "education"),
    ("Grid", "energy"),
    ("Savings", "finance"),
    ("Clinics", "health"),
    ("Freight", "logistics"),
    ("Tooling", "manufacturing"),
    ("Council", "public"),
    ("Stores", "retail"),
]
CLIENT_TYPES = ["customer", "prospect", "customer", "partner", "prospect", "customer", "former"]
LEGAL_FORMS = ["Ltd", "GmbH", "S.A.", "Inc.", "B.V."]

TOPICS = [
    "Warehouse scanners",
    "Payroll migration",
    "Cold chain monitoring",
    "Customer portal",
    "Fleet tracking",
    "Data centre move",
    "Annual support",
    "Point of sale refresh",
    "Energy audit",
    "Training programme",
    "Document archive",
    "Network upgrade",
    "Demand forecast",
    "Supplier onboarding",
    "Access control",
    "Mobile app",
    "Laboratory software",
    "Procurement review",
    "Website relaunch",
]

SENTENCES = [
    "The client runs two systems side by side and wants to keep only one of them.",
    "Their own team has drafted the requirements and is open to a different approach.",
    "A pilot at one site has to prove the figures before the rest is decided.",
    "Procurement asks for a fixed price, the users ask for flexibility.",
    "The present supplier's agreement ends with the fiscal year.",
    "Integration with the ledger is the part that nobody has estimated yet.",
    "Two competitors were invited as well; one has withdrawn.",
    "Success is measured by the time from order to delivery.",
    "Security wants to see the results of the last penetration test.",
    "The sponsor changed in spring, and the scope with them.",
    "Data older than seven years may stay where it is.",
    "Work on site is possible at weekends only.",
]

CLIENT_SENTENCES = [
    "Family business in its third generation.",
    "Grew from one site to nine within a few years.",
    "Decides slowly, and then for a long time.",
    "Known for careful engineering and short meetings.",
    "Prefers to be called in the morning.",
    "Buys through a group that several competitors share.",
    "Publishes its tenders on its own website.",
]

FIRST_NAMES = [
    "Aiko",
    "Bruno",
    "Chloé",
    "Dmitri",
    "Esra",
    "Femi",
    "Gwen",
    "Hiroshi",
    "Inés",
    "Jürgen",
    "Kavya",
    "Leila",
]
LAST_NAMES = [
    "Adeyemi",
    "Bianchi",
    "Çelik",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jansen",
    "Kowalski",
]
ROLES = ["Head of procurement", "Managing director", "IT lead", "Operations manager", "Accountant", ""]

TALKS = [
    ("call", "Went through the open questions."),
    ("email", "Sent the references they had asked for."),
    ("meeting", "Walked the site together and noted the constraints."),
    ("call", "Budget is confirmed for this year."),
    ("meeting", "Presented the offer to the steering group."),
    ("email", "Received the signed confidentiality agreement."),
]

CLOSE_REASONS = {
    "won": ["Best references.", "Fastest start.", ""],
    "lost": ["Price.", "A competitor was already on site.", ""],
    "dropped": ["The project was postponed.", "No budget.", ""],
}

REMINDERS = {
    "ada": [
        "Call back about the pilot",
        "Send the revised offer",
        "Ask for references",
        "Prepare the steering group",
        "🎂 Aiko",
    ],
    "grace": ["Check the contract draft", "Book the site visit", "Renew the certificate", "Réunion budget"],
}
