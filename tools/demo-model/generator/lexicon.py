"""Small open lists that fill the slots of the phrase templates: `{doc}`, `{place}`, `{day}`, ...

Each list is one string, entries separated by ` | ` (or a newline), so that a list can be read and extended easily.
"""


def entries(text: str) -> list[str]:
    """The entries of a list written with ` | ` or one to a line."""
    return [e.strip() for line in text.strip().splitlines() for e in line.split(" | ") if e.strip()]


LISTS: dict[str, list[str]] = {name: entries(text) for name, text in {
    "doc": """
report | contract | invoice | invoices | slides | slide deck | proposal | budget | spreadsheet | agenda | minutes | meeting notes | safety sheet
offer | quote | order form | signed forms | test plan | design doc | roadmap | timesheet | timesheets | receipt
receipts | expense report | tax form | insurance papers | permission slip | lease | floor plan | drawings | blueprints | photos
press release | brochure | newsletter | price list | catalog | summary | draft | first draft | final version | checklist | survey
questionnaire | feedback form | application | resume | cover letter | reference letter | schedule
shift plan | guest list | shopping list | packing list | itinerary | tickets | boarding passes | passport copies | visa form
lab results | x-ray pictures | prescription | referral | vaccination record | school report | homework sheet | reading list
manual | user guide | warranty card | inspection report | safety report | permit | building permit | certificate | license
statement of work | purchase order | shipping label | delivery note | bank statement | payroll file | contact list | mailing list
login details | access codes | link | recording | transcript | video | logo files | mockups | wireframes | screenshots | test results
error logs | bug report | migration plan | pull request | changelog | status update | weekly update | sales figures | october numbers
quarterly numbers | forecast | cost estimate | risk list | training material | onboarding guide | job description | rent contract
meter reading | complaint | apology letter | thank you note | birthday card | invitation | invitations | program | menu | recipe""",
    "event": """
meeting | demo | standup | kickoff | review | retro | workshop | training | interview | call | site visit | inspection | audit
dinner | lunch | birthday party | wedding | concert | school play | parent evening | recital | match | tournament | practice
appointment | checkup | cleaning | haircut | vet appointment | dentist appointment | therapy session | eye exam | blood test
flight | trip | train ride | tour | hike | camping trip | conference | trade fair | launch | release | board meeting | town hall
presentation | pitch | webinar | fundraiser | bake sale | picnic | barbecue | housewarming | reunion | graduation | exam | class
photo shoot | book club | choir rehearsal | garage sale | move | delivery | pickup | viewing | handover | closing | hearing""",
    "topic": """
budget | new website | class outing | summer party | kitchen | bathroom | garden | roof | move | new office | hiring | start page
checkout page | mobile app | search | payment flow | data migration | customer survey | newsletter | pricing
marketing campaign | spring collection | annual report | team offsite | onboarding | security audit | warehouse | delivery problem
insurance claim | car repair | holiday plans | wedding plans | birthday dinner | fundraiser | neighborhood watch | bake sale
science fair | soccer club | piano lessons | swimming course | vaccination | knee | blood test | diet | sleep study | new puppy
cat | aquarium | fence | heating | leak in the basement | parking permit | tax return | rent increase | loan | savings plan
pension | phone contract | internet connection | solar panels | recipe book | podcast | blog post | photo book | book club
garden shed | vegetable patch | community garden | choir | charity run | marathon training | language course | exhibition
factory floor | north building | back entrance | elevator | staircase | parking garage | fire alarm | air conditioning
supplier | packaging | returns | customer visit | pilot | renewal | trade fair | sales training | partner program""",
    "thing": """
package | parcel | keys | spare key | library books | stroller | bike | ladder | drill | lawnmower | suitcase
charger | phone charger | laptop | projector | printer | printer ink | monitor | adapter | headphones | camera | tripod | glasses
medicine | pills | car seat | winter tires | tent | sleeping bags | cooler | grill | charcoal | flowers | plants
cake | birthday cake | present | gift | gift card | costume | uniform | soccer shoes | swimsuit | raincoat | umbrella | backpack
lunch box | water bottles | dog food | cat litter | leash | bird seed | paint | brushes | screws | light bulbs | batteries
smoke detector | lock | door handle | faucet | shower head | dishwasher | washing machine | fridge | oven | boiler
thermostat | router | tv | couch | mattress | curtains | carpet | shelf | bookshelf | desk | chair | table | mirror | lamp
fence | gate | roof tiles | gutter | pump | hose | mower | trailer | van | rental car | truck | spare tire | brake pads | oil filter
sample | samples | prototype | badge | badges | name tags | banner | flyers | t-shirts | microphones | cables | whiteboard markers
coffee beans | paper cups | folding chairs | tablecloths | candles | balloons | ice | snacks | sandwiches | pizza | fruit""",
    "food": """
milk | eggs | bread | sourdough | butter | cheese | yogurt | apples | bananas | lemons | tomatoes | onions | garlic | potatoes
carrots | spinach | lettuce | cucumbers | rice | pasta | flour | sugar | honey | olive oil | coffee | green tea | orange juice
chicken | salmon | ground beef | tofu | lentils | beans | oats | cereal | almonds | peanut butter | chocolate | ice cream
cinnamon | basil | parsley | ginger | mushrooms | peppers | sweet potatoes | strawberries | blueberries | sparkling water
toilet paper | dish soap | laundry detergent | paper towels | trash bags | toothpaste | shampoo | diapers | sunscreen""",
    "place": """
pharmacy | bank | post office | library | school | kindergarten | office | warehouse | garage | hardware store | grocery store
supermarket | bakery | market | butcher | florist | gym | pool | clinic | hospital | vet | dentist | airport | train station
bus stop | hotel | town hall | court | embassy | museum | theater | church | park | playground | stadium | harbor | cafe
restaurant | pizza place | laundromat | tailor | shoe repair shop | bike shop | car wash | gas station | storage unit | basement
attic | kitchen | bathroom | garden shed | front desk | reception | lobby | meeting room | conference room | server room
back entrance | balcony | parking lot | rooftop | construction site | factory | showroom | print shop | recycling center""",
    "street": """
Oak Street | Main Street | Maple Avenue | Church Lane | Station Road | Mill Road | Park Avenue | Harbor Street | Elm Street
Hill Road | King Street | Garden Lane | River Road | Market Square | Bridge Street | Second Avenue | Fifth Street | Lake Drive
Canal Street | Sunset Boulevard | Cherry Lane | Victoria Road | Washington Street | Chapel Hill | Orchard Way""",
    "company": """
Larkspur | Acme | Brightline | Halcyon | Redfern | Sable | Vantage | Kestrel Foods | Lumen Labs | Oakridge | Pinnacle | Harbor Freight
Silverline | Bluebird | Greenfield Partners | Atlas Logistics | Meridian | Copperfield | Sunrise Media | Hilltop Dairy | Nova Bank
Westgate | Ironbridge | Stonehill | Juniper Health | Riverside Clinic | Delta Print | Fairview | Cobalt | Aurora | Summit Sports""",
    "group": """
legal | marketing | sales | finance | accounting | the design team | the data team | support | HR | operations | the board | the landlord
the plumber | the electrician | the contractor | the architect | the painter | the gardener | the caterer | the supplier | the client
the customer | the vendor | the agency | the insurance company | the bank | the school | the coach | the teacher | the principal
the doctor | the nurse | the dentist | the vet | the pharmacist | the lawyer | the accountant | the realtor | the travel agent
the band | the photographer | the intern | the new hire | the manager | the foreman | the crew | the roofers | the movers
the neighbor | the neighbors | the babysitter | my sister | my brother | my mom | my dad | my wife | my husband | my boss | my cousin
my aunt | my roommate | my neighbor | grandma | grandpa | mom | dad | the kids | the volunteers | the city | the facility team
the property manager | the night shift | the warehouse team | the front desk | the IT guys | the security people | our supplier""",
    "family": "my sister | my brother | my mom | my dad | my wife | my husband | my cousin | my aunt | my uncle | grandma | mom | dad | my son | my daughter | the twins | my niece",
    "weekday": "Monday | Tuesday | Wednesday | Thursday | Friday | Saturday | Sunday",
    "month": "January | February | March | April | May | June | July | August | September | October | November | December",
    "ordinal": """first | second | third | fourth | fifth | sixth | seventh | eighth | ninth | tenth | eleventh | twelfth | thirteenth
fourteenth | fifteenth | sixteenth | seventeenth | eighteenth | nineteenth | twentieth | twenty first | twenty second | twenty third
twenty fourth | twenty fifth | twenty sixth | twenty seventh | twenty eighth | thirtieth""",
    "small": "two | three | four | five | six | seven | eight | nine | ten | eleven | twelve",
    "number": """two | three | four | five | six | seven | eight | nine | ten | eleven | twelve | fifteen | eighteen | twenty | twenty five
thirty | thirty one | forty | forty two | fifty | sixty | seventy five | eighty | ninety | a hundred | two hundred | five hundred
a thousand | a dozen | 3 | 12 | 25 | 40 | 150""",
    "hour": "one | two | three | four | five | six | seven | eight | nine | ten | eleven | twelve | noon",
    "minute": "fifteen | thirty | forty five | twenty | ten",
    "daypart": "morning | afternoon | evening",
    "color": "red | blue | green | white | black | gray | yellow | dark blue | light green | beige | orange | purple",
    "bodypart": "knee | back | shoulder | neck | left ankle | right wrist | elbow | hip | stomach | throat | ear | eye | tooth | big toe",
    "symptom": """headache | cough | fever | rash | sore throat | runny nose | back pain | stomach ache | swelling | dizziness | ear infection
cold | migraine | allergy | sprain""",
    "medicine": "antibiotics | ibuprofen | eye drops | vitamin d | iron tablets | the inhaler | cough syrup | the cream | magnesium | the new pills",
    "pet": "dog | cat | puppy | kitten | rabbit | hamster | parrot | guinea pig | pony | old cat",
    "carpart": "brakes | tires | battery | clutch | headlight | windshield | exhaust | engine light | alternator | wipers | left mirror",
    "software": """checkout page | search box | map view | dashboard | mobile app | website | payment form | api | database
settings page | export button | signup flow | email template | calendar sync | password reset | image viewer | chat widget
import job | nightly build | test suite | backup script | landing page | push notifications | dark mode | invoice module""",
    "houseproblem": """damp in the corner | a crack in the wall | mold | a leak | a draft | a strange smell | a loose tile | broken glass
a humming noise | rust | standing water | no hot water | a bad socket | peeling paint | a wasp nest""",
    "state": """done | ready | finished | almost done | late | delayed | broken | still open | closed | missing | on track
behind schedule | too expensive | out of stock | sold out | cancelled | confirmed | booked | approved | rejected | signed | empty
full | fixed | still broken | on hold | under warranty | in good shape | too small | too loud | too slow | a mess | wet | clean
gone | back | better | worse | okay | fine now | not ready yet | half finished | stuck in customs | overdue | paid | unpaid""",
    "quality": """great | good | really good | fine | okay | terrible | a bit slow | slow | too long | too short | friendly | helpful | confusing
cheap | expensive | boring | useful | noisy | quiet | heavy | light | higher than last year | lower than expected
better than I thought | pretty rough | very modern | old fashioned | smaller than in the pictures""",
    "problem": """only shows up at night | keeps crashing | makes a weird noise | doesn't fit | won't start | leaks a little
is leaking again | takes forever | freezes after login | shows the wrong total | smells like smoke | drips all night
loses data sometimes | gets stuck at ninety percent | sends the mail twice | overheats | doesn't close properly | trips the fuse
looks blurry on phones | fails every other night | wobbles""",
    "like": """the new design | the second option | the blue one | the idea | the sample | the food | the room | the short version
the old logo | the demo | the garden | the location | the price | the colors | the tour | the music | the new schedule""",
    "money": """forty dollars | a hundred and twenty dollars | nine hundred euros | two thousand | fifteen hundred | three fifty | eighty bucks
twelve thousand dollars | twenty two euros | $40 | $250 | $1,200 | sixty five pounds | half a million | ninety nine cents
seven hundred a month | thirty an hour | ten percent more | five hundred less | 18 euros | 75 dollars""",
    "reason": """the first one was damaged | half of it was missing | the old one broke | it runs out on {weekday} | they close early
we lost it once | the price goes up soon | the deadline moved | {name} is on vacation | the kids love it | the last one was wrong
it's her birthday | the lease ends soon | nobody else has a key | the warranty is almost over | there was a mistake in it
the client asked twice | the store is closed on Sundays | my card expired | it keeps raining | the weather turns bad""",
    "hedge": """maybe {weekday} instead | maybe {weekday} is better | not sure yet | no rush | no hurry though | if I have time
I think | probably | fingers crossed | that would be nice | we'll see | that's all I know | or whenever | it's not that far
hopefully it works out | no idea why | I keep forgetting""",
    "idea": """each page ended with a riddle | we sold it by the slice | each chapter started with a recipe | the app read the note aloud
we let people pick their own seat | the kids made the signs | we swapped the morning and evening shift | the walls were green
we printed the map on the back | there was a small shop at the entrance | the first month was free | customers could bring their own jars
we moved the couch under the window | everybody brought one dish | the bot answered the easy questions | we recorded it as a podcast
visitors could vote for the best one | the lamp turned on by itself | we built it out of old pallets | the box had a second life as a toy
the team met outside once a week | there was a quiet hour after lunch | we planted herbs along the fence""",
    "goal": """it saves time | it costs almost nothing | nobody has to wait | it looks friendlier
kids would love it | we waste less | it makes the place warmer | we sell more | it's easy to explain | it works offline
it brings people together | you remember it | it gets rid of the queue""",
}.items()}
