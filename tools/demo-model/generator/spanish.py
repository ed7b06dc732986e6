"""A small share of notes in Spanish, with the same marks."""

from .lexicon import entries
from .world import World

VERBS = entries("""
llamar a {name} | llamar al médico | llamar al taller | llamar a la escuela | escribir a {name} | escribir el informe | enviar el informe a {name} | enviar las fotos | mandar la factura a {name} | mandar el contrato | comprar {food} | comprar {food} y {food} | comprar {food}, {food} y {food}
comprar entradas para el {event} | recoger el paquete | recoger a {name} | recoger la ropa | llevar el coche al taller | llevar a {name} al médico | pagar la luz | pagar el alquiler | pedir cita con el dentista | pedir una copia de la llave | reservar una mesa | reservar el hotel | reservar la sala
preparar la presentación | preparar el {event} | revisar el contrato | revisar la lista | revisar los números con {name} | terminar el informe | terminar la presentación | arreglar la puerta | arreglar el {thing} | cambiar la bombilla | cambiar el {thing} | limpiar la cocina | limpiar el {thing} | hablar con {name}
hablar con la profesora | hablar con el jefe | preguntar por el {thing} | devolver el libro | devolver el {thing} a {name} | regar el jardín | sacar al perro | sacar la basura | confirmar la cita | confirmar el {event} | organizar el {event} | buscar un {thing} nuevo | traer el {thing} | traer las llaves
firmar los papeles | imprimir los billetes | hacer la maleta | hacer la compra | pintar la pared | vender el {thing} | visitar a {name} | invitar a {name} al {event} | avisar a {name} | ayudar a {name} con el {thing} | mover la reunión | subir las fotos | tomar la medicina | ir al banco | ir a la farmacia
""")
FACTS = entries("""
el {event} empieza a las {hour} | el {event} es el {weekday} a las {hour} | el {event} se canceló | la reunión duró una hora | la reunión fue muy bien | {name} está de vacaciones | {name} está enfermo | {name} no puede venir | {name} ya pagó | {name} ya terminó el informe | {name} ya llamó al banco | el {thing} está roto
el {thing} no funciona | el {thing} costó {number} euros | el {thing} está en el garaje | la cocina está lista | hay una gotera en el baño | hay {number} personas apuntadas | faltan {number} sillas | no queda {food} | el presupuesto es de {number} euros | el cliente está contento | el cliente quiere otro color | la tienda cierra a las {hour}
el tren sale a las {hour} | el vuelo sale el {weekday} | la cita es el {weekday} a las {hour} | a {name} le gustó la idea | a {name} no le gustó el color | la tensión está bien | me duele la espalda | hace mucho calor | el hotel está muy bien | los niños están cansados | la presentación salió bien | perdimos el partido
""")
EVENTS = entries("cumpleaños | concierto | partido | taller | viaje | curso | examen | almuerzo | desayuno | festival | desfile | ensayo | torneo")
THINGS = entries("ordenador | teléfono | coche | horno | grifo | paraguas | libro | cargador | sofá | espejo | cuadro | reloj | abrigo | ascensor | archivo | carrito | colchón | tejado")
FOODS = entries("leche | pan | huevos | queso | arroz | aceite | manzanas | tomates | café | pollo | pescado | cebollas | azúcar | naranjas | jamón | lentejas | yogures | agua")
DUES = entries("""
hoy | mañana | esta tarde | esta semana | este fin de semana | pasado mañana | mañana por la mañana | mañana por la tarde | el {weekday} | antes del {weekday} | antes de las {hour} | a las {hour} | para el {weekday} | la semana que viene | el mes que viene | antes de comer | después de comer | en dos semanas | en una semana | lo antes posible | antes de fin de mes | ahora | luego
""")
WEEKDAYS = entries("lunes | martes | miércoles | jueves | viernes | sábado | domingo")
HOURS = entries("dos | tres | cuatro | cinco | seis | siete | ocho | nueve | diez | once | doce")
SELF = entries("""
tengo que @A @D | tengo que @A @D | necesito @A @D | debo @A @D | voy a @A @D | quiero @A @D | hay que @A @D | hay que @A @D | y @A @D | no olvidar @A @D | no olvides @A @D | recordar @A @D | acordarme de @A @D | me falta @A @D | también tengo que @A @D | además hay que @A @D | @A @D | @D tengo que @A | @D voy a @A | prometí @A @D
tenemos que @A @D | vamos a @A @D | deberíamos @A @D | luego @A @D | queda pendiente @A @D | y luego tengo que @A @D | todavía tengo que @A @D
""")
OTHER = entries("""
@O va a @A @D | @O va a @A @D | @O tiene que @A @D | @O debe @A @D | @O quiere @A @D | @O puede @A @D | @O se encarga de @A @D | @O prometió @A @D | @O dijo que va a @A @D | pedir a @O @A @D | @D @O va a @A | @O necesita @A @D | y @O va a @A @D | @O quedó en @A @D
""")
OPENINGS = entries("nota sobre [t:el {event}] | [t:notas del {event}] | [t:ideas para el {event}] | hablé con [t:{name}] | recordatorio para [t:el {weekday}] | [t:lista para mañana] | acabo de salir del [t:{event}] | [t:visita a {name}] | [t:llamada con {name}] | bueno, [t:el {event}] | sobre [t:el {thing}]")
SLOTS = {"event": EVENTS, "thing": THINGS, "food": FOODS, "weekday": WEEKDAYS, "hour": HOURS}


def fill(world: World, template: str) -> str:
    """Fill a Spanish template."""
    while "{" in template:
        slot = template[template.index("{") + 1:template.index("}")]
        value = world.pick(SLOTS[slot]) if slot in SLOTS else str(world.rng.randint(2, 90)) if slot == "number" else world.slot_name()
        template = template.replace("{" + slot + "}", value, 1)
    return template


def sentence(world: World, number: int, action: bool) -> str:
    """One marked sentence."""
    fact = f"[p:{fill(world, world.pick(FACTS))}]"
    if not action:
        return fact
    owner = world.slot_name() if world.chance(0.35) else None
    frame = world.pick(OTHER if owner else SELF, 0.5)
    if not frame.startswith("@D") and world.chance(0.4):
        frame = frame.replace(" @D", "")
    text = fill(world, frame.replace("@O", f"[o{number}:{owner}]").replace("@A", f"[a{number}:{world.pick(VERBS)}]").replace("@D", f"[d{number}:{world.pick(DUES)}]"))
    if world.chance(0.1):
        return text + world.any(" porque ", " ya que ", ", porque ") + fact
    return fact + world.any(", así que ", " y ") + text if world.chance(0.08) else text
